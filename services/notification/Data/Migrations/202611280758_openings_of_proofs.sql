-- An organisation's interface tells that a notice was opened, also when only its proof is kept.
grant update (opened_at) on notice_proofs to jafer_calls;
