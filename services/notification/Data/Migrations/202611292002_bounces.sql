-- A mail that comes back is told of by its id.
create index mail_recipients_of_mail on mail_recipients (mail_id) where mail_id is not null;
