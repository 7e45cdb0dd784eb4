-- Dangers of which nobody outside was told, however the mesure stands: closed ones too keep a deadline until somebody was.
create index mesures_dangers_untold on mesures (next_due_at, holder_since, id) where dangers_untold > 0;
