-- Ways of an official distancier. Without foreign keys: the import checks every commune, and communes are never deleted;
-- keys checked row by row would take longer than the import itself.
create table distancier_ways (
    from_insee text not null,
    to_insee   text not null,
    minutes    real, -- null: no road
    primary key (from_insee, to_insee),
    constraint distancier_ways_minutes check (minutes between 0 and 6000)
);

-- Every import ever made. The number of the last one tells replicas whether what they keep still holds.
create table distancier_imports (
    id            bigint      generated always as identity primary key,
    imported_at   timestamptz not null,
    source        text        not null,
    "symmetric"   boolean     not null,
    replaced_all  boolean     not null,
    created_count bigint      not null,
    updated_count bigint      not null,
    removed_count bigint      not null,
    way_count     bigint      not null -- held after it
);
