-- A task remembers its key, so that sending it round again takes the key back. Tasks from before have none to take.
-- min_compatible: 1

alter table tasks add column key text;
