-- history of rules: what could be promised as known then, by the rules of that time
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\set past :abs_srcdir '/sql/past.psql'
\i :common
\i :past
create view t.h as
	select kind, status, usable, delay_days, late_days from routing.supply_rule_history order by "to", kind, status;
\set ECHO all

-- 4 on hand in quarantine, 10 for day 3, 5 for day 5 that nobody has confirmed
insert into routing.supply (item, node, quantity, status) values ('A', 'CHI', 4, 'quarantine');
call t.stock('A', 'CHI', 10, 3); call t.stock('A', 'CHI', 5, 5); update routing.supply set status = 'unconfirmed' where quantity = 5;
call t.mark('built in');
insert into routing.supply_rule (kind, status, delay_days) values ('purchase', '*', 2);
call t.mark('two days more');
insert into routing.supply_rule (kind, status, usable) values ('*', 'quarantine', true);
update routing.supply_rule set delay_days = 1 where kind = 'purchase';
call t.mark('one');
update routing.node set dock_days = 4 where node = 'CHI'; update routing.node set name = 'Chicago' where node = 'CHI';
call t.mark('dock');
delete from routing.supply_rule where status = 'quarantine';
-- twice in one transaction, put there again by an INSERT that finds it, and not at all
begin; update routing.supply_rule set delay_days = 9; update routing.supply_rule set delay_days = 8; commit;
insert into routing.supply_rule (kind, status, delay_days) values ('purchase', '*', 7) on conflict (tenant_id, kind, status) do update set delay_days = 7;
insert into routing.supply_rule (kind, status, delay_days) values ('purchase', '*', 6) on conflict do nothing;
begin; delete from routing.supply_rule; rollback;
call t.mark('seven');
truncate routing.supply_rule; update routing.node set dock_days = 0 where node = 'CHI';
table t.h; select node, dock_days from routing.node_history order by "to";
-- day 3 and 5 + 3; 2 more for what is confirmed; quarantine counts, and 1 more; 4 more for all; then 7 + 4 without quarantine
select t.then('built in', 2, 3, 7, 8) as "0 10 10 15", t.then('two days more', 4, 5, 7, 8) as "0 10 10 15",
	   t.then('one', 3, 4, 7, 8) as "4 14 14 19", t.then('dock', 7, 8, 11, 12) as "4 14 14 19",
	   t.then('seven', 11, 12, 13, 14) as "0 5 5 15", t.atp('A', 'CHI', 2, 3, 7, 8) as "0 10 10 15";
select routing.purge_history(now()) > 0 as forgotten; select count(*) from routing.supply_rule_history; select count(*) from routing.node_history;
select * from routing.verify();
