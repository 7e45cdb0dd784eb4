-- Every declaration of a year, kept for ever: a correction supersedes and never erases.
create table yearly_declaration_changes (
    gestionnaire_id uuid        not null references gestionnaires on delete cascade,
    year            integer     not null,
    version         bigint      not null,
    source          text        not null,
    organisation_id uuid        not null,
    recorded_at     timestamptz not null,
    content         jsonb       not null, -- a YearlyDeclaration of the contract
    primary key (gestionnaire_id, year, version)
);

-- What was declared before this was kept: by whom is no longer known but that it was for the gestionnaire.
insert into yearly_declaration_changes (gestionnaire_id, year, version, source, organisation_id, recorded_at, content)
select y.gestionnaire_id, y.year, y.version, 'UNSPECIFIED', y.gestionnaire_id, y.updated_at, jsonb_build_object(
    'year', y.year, 'openingHours', y.opening_hours, 'openingDays', y.opening_days,
    'personnels', coalesce((
        select jsonb_agg(jsonb_build_object(
            'status', 'PERSONNEL_STATUS_' || p.status, 'function', 'PERSONNEL_FUNCTION_' || p.function,
            'headCount', p.head_count, 'fullTimeEquivalent', p.full_time_equivalent) order by p.status, p.function)
        from personnels p where p.gestionnaire_id = y.gestionnaire_id and p.year = y.year), '[]'),
    'ressources', coalesce((
        select jsonb_agg(jsonb_build_object('funder', 'FUNDER_' || r.funder, 'amountEuros', r.amount_euros) order by r.funder)
        from ressources r where r.gestionnaire_id = y.gestionnaire_id and r.year = y.year), '[]'))
from yearly_declarations y;

create function yearly_declaration_changes_only_grow() returns trigger language plpgsql as $$
begin
    raise exception 'declarations are only ever added';
end $$;
create trigger yearly_declaration_changes_only_grow before update on yearly_declaration_changes
    for each row execute function yearly_declaration_changes_only_grow();
