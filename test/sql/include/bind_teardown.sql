-- the end of a test that began with bind_setup.sql
\set ECHO none
SET client_min_messages = error;
\c :bind_previous
SET client_min_messages = error;
DROP DATABASE regress_routing_bind;
DROP ROLE regress_bind_erp;
DROP ROLE regress_bind_other;
RESET client_min_messages;
\set ECHO all
