-- What a decision grants and what became of it, arrivals and departures, needs of children.
alter table mesures
    add column decision_replacement_judge_name text    not null default '', -- personal data
    add column decision_remise_granted         boolean not null default false,
    add column decision_third_party_presence   text    not null default 'UNSPECIFIED',
    add column decision_appeal_lodged          boolean not null default false,
    add column decision_appeal_date            date;
alter table mesures
    alter column decision_replacement_judge_name drop default,
    alter column decision_remise_granted drop default,
    alter column decision_third_party_presence drop default,
    alter column decision_appeal_lodged drop default;
alter table parties
    add column arrival_offset_minutes   integer not null default 0,
    add column departure_offset_minutes integer not null default 0;
alter table parties
    alter column arrival_offset_minutes drop default,
    alter column departure_offset_minutes drop default;
alter table children add column needs text[] not null default '{}';
alter table children alter column needs drop default;
