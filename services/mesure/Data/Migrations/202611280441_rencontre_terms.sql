-- A rencontre keeps the modalité under which it was booked, and whether it leaves the premises.
alter table rencontres
    add column modalite text    not null default 'UNSPECIFIED',
    add column outing   boolean not null default false;
update rencontres r set modalite = m.decision_modalite from mesures m where m.id = r.mesure_id;
alter table rencontres
    alter column modalite drop default,
    alter column outing   drop default;
