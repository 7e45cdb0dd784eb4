-- What names or describes people becomes bytes, in clear until the service's job has sealed it. Each table is written once; that of
-- the files holds them whole and takes longest.
alter table mesures
    alter column decision_rg_number type bytea using in_clear(decision_rg_number),
    alter column decision_judge_name type bytea using in_clear(decision_judge_name),
    alter column decision_replacement_judge_name type bytea using in_clear(decision_replacement_judge_name),
    alter column decision_tiers_de_confiance_name type bytea using in_clear(decision_tiers_de_confiance_name),
    alter column decision_restrictions type bytea using in_clear(decision_restrictions),
    alter column closure_comment type bytea using in_clear(closure_comment),
    alter column reopening_comment type bytea using in_clear(reopening_comment);
alter table parties
    alter column given_name type bytea using in_clear(given_name),
    alter column family_name type bytea using in_clear(family_name),
    alter column phone type bytea using in_clear(phone),
    alter column email type bytea using in_clear(email),
    alter column address type bytea using in_clear(address),
    alter column commune_insee type bytea using in_clear(commune_insee);
alter table children
    alter column given_name type bytea using in_clear(given_name),
    alter column family_name type bytea using in_clear(family_name),
    alter column birth_date type bytea using in_clear(to_char(birth_date, 'YYYY-MM-DD'));
alter table difficulties
    alter column comment type bytea using in_clear(comment),
    alter column answer_comment type bytea using in_clear(answer_comment);
alter table information_exchanges
    alter column question type bytea using in_clear(question),
    alter column answer type bytea using in_clear(answer);
alter table decision_versions alter column content type bytea using in_clear(content::text);
update intake_items set content = '\x00'::bytea || content where content is not null;
alter table decision_document_chunks alter column data type bytea using '\x00'::bytea || data;
