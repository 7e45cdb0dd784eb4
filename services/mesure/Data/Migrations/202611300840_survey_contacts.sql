-- An interview that took place is a contact with the family, also where no other was recorded.
drop trigger mesures_survey_changed on mesures;
create trigger mesures_survey_changed after update on mesures for each row when (
    new.gestionnaire_id is not null and
    (old.gestionnaire_id, old.espace_departement, old.transmitted_at, old.visiteur_contact_at, old.hote_contact_at, old.interview_at, old.first_scheduling_at,
     old.first_planned_rencontre_at, old.first_held_rencontre_at, old.ever_scheduled, old.closed_at, old.closure_reason, old.decision_nature, old.decision_legal_basis,
     old.decision_situations, old.decision_principal_situation, old.decision_date)
    is distinct from
    (new.gestionnaire_id, new.espace_departement, new.transmitted_at, new.visiteur_contact_at, new.hote_contact_at, new.interview_at, new.first_scheduling_at,
     new.first_planned_rencontre_at, new.first_held_rencontre_at, new.ever_scheduled, new.closed_at, new.closure_reason, new.decision_nature, new.decision_legal_basis,
     new.decision_situations, new.decision_principal_situation, new.decision_date))
    execute function queue_survey_of_mesure();

-- Counted otherwise now: those, and what followed a mesure that went on elsewhere, which was taken for a transfer.
insert into survey_queue (mesure_id)
select id from mesures
where gestionnaire_id is not null
    and (interview_at < least(coalesce(visiteur_contact_at, 'infinity'), coalesce(hote_contact_at, 'infinity')) or origin = 'PROLONGEMENT');
