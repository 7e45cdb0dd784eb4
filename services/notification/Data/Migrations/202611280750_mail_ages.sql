-- Nothing is given up for want of an answer: the time that a mail has begins with the first answer about whom it is for.
alter table deliveries add column failing_since timestamptz;
alter table mail_recipients add column failing_since timestamptz;
