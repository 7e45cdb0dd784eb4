-- What was closed before its transmission is taken off the figures of gestionnaires: few entries, by espace.
create index delay_entries_before_transmission on delay_entries (espace_id, month) where days[1] < 0;
