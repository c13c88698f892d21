-- carriers: closed services, pick-ups that are missing, circuit breakers
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 50); call t.stock('A', 'DAL', 50);
create function t.goes() returns text language sql stable
begin atomic
	select coalesce(string_agg(format('%s %s, day %s', p.node, p.service, p.deliver_on - (routing.engine_now() at time zone 'UTC')::date), '; '), 'nothing')
	from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 1}]}') p
	where p.node is not null;
end;
-- minutes and seconds are relative to the first use
create table t.start as select date_trunc('second', now()) as at;
create function t.ago(at timestamptz) returns text language sql stable
	return to_char(at - (select s.at from t.start s), 'HH24:MI');
create view t.h as select service, node, state, failures, reason, t.ago(opened_at) as opened, t.ago(retry_at) as retry from routing.service_health order by tenant_id, service, node;
create function t.not_used(id text) returns setof text language sql stable
begin atomic
	select format('%s %s: %s', e.node, e.service, regexp_replace(e.reason, '\d{4}-\d\d-\d\d \d\d:\d\d', '(time)'))
	from routing.explain_rows(id) e where e.outcome = 'not used';
end;

-- ground from CHI costs 11.2 and a day of lateness, as always; closed by a person it goes by air, the decision says why
select t.goes();
call t.ord('O1', null, 'A 1'); select * from t.not_used('O1');
update routing.service set status = 'closed' where service = 'ground';
select t.goes();
call t.ord('O2', null, 'A 1'); select "order", node, service from t.r; select * from t.not_used('O2');
select * from routing.explain('O2') e where e like '%closed';
update routing.service set status = 'open' where service = 'ground';

-- a shipment may not be too heavy for its service
update routing.service set max_weight_kg = 4 where service = 'ground';
update routing.item set weight_kg = 4 where item = 'A'; select t.goes();
update routing.item set weight_kg = 5 where item = 'A'; select t.goes();
update routing.item set weight_kg = 1 where item = 'A'; update routing.service set max_weight_kg = null where service = 'ground';

-- ground is picked up at DAL only: CHI cannot use it
insert into routing.pickup (node, service, weekday) select 'DAL', 'ground', d from generate_series(1, 7) d;
call t.ord('O3', null, 'A 1'); select "order", node, service from t.r where "order" = 'O3'; select * from t.not_used('O3');
select subject, problem from routing.doctor() where subject like 'service%';
delete from routing.pickup;

-- the fifth failure within ten minutes opens the breaker of a service at a node
select routing.report_service_failure('ground', 'CHI', 'label server down', 'F' || n) from generate_series(1, 4) n;
select t.goes(); table t.h;
-- one that is told again changes nothing
select routing.report_service_failure('ground', 'CHI', 'label server down', 'F4'); table t.h;
select routing.report_service_failure('ground', 'CHI', 'label server down', 'F5'); table t.h;
select t.goes();
call t.ord('O4', null, 'A 1'); select "order", node, service from t.r where "order" = 'O4'; select * from t.not_used('O4');
-- elsewhere it is used
call t.ord('O5', null, 'A 1 DAL'); select "order", node, service from t.r where "order" = 'O5';
select subject, regexp_replace(problem, '\d{4}-.{17}', '(time)', 'g') from routing.doctor() where subject like 'service%';
-- further failures meanwhile change nothing; after five minutes it is tried again, without anybody's doing
set routing.clock_offset = '280s'; select routing.report_service_failure('ground', 'CHI', 'still down'); select t.goes(); table t.h;
set routing.clock_offset = '301s'; select t.goes(); select t.goes(); table t.h;
select subject, regexp_replace(problem, '\d{4}-.{17}', '(time)', 'g') from routing.doctor() where subject like 'service%';
-- the trial fails: ten minutes, then twenty, at last retry_max
select routing.report_service_failure('ground', 'CHI', 'down again'); select t.goes(); table t.h;
set routing.clock_offset = '902s'; select t.goes(); select routing.report_service_failure('ground', 'CHI', 'down again'); table t.h;
update routing.service set retry_max = '25 minutes' where service = 'ground';
set routing.clock_offset = '2103s'; select t.goes(); select routing.report_service_failure('ground', 'CHI', 'down again'); table t.h;
-- one that works closes it, and the count starts anew
set routing.clock_offset = '3604s'; select routing.report_service_success('ground', 'CHI', 'S1'); select t.goes(); table t.h;
select routing.report_service_success('ground', 'CHI', 'S1');
select routing.report_service_failure('ground', 'CHI', 'again') from generate_series(1, 4); table t.h;
-- what is longer ago than the window does not count; a success in between neither
set routing.clock_offset = '4206s'; select routing.report_service_failure('ground', 'CHI', 'slow'); table t.h;
select routing.report_service_failure('ground', 'CHI', 'slow') from generate_series(1, 3);
select routing.report_service_success('ground', 'CHI'), routing.report_service_failure('ground', 'CHI', 'slow'); table t.h;
reset routing.clock_offset;

-- everywhere: without a node; limits are the service's own
update routing.service set failure_limit = 2, retry_after = '1 hour' where service = 'ground';
select routing.report_service_failure('ground', null, 'strike') from generate_series(1, 2); table t.h;
select t.goes(); call t.ord('O6', null, 'A 1'); select * from t.not_used('O6');
select routing.report_service_success('ground'); select t.goes();
-- by another session it is known at the next decision; a report that is rolled back never was
begin; select routing.report_service_failure('ground', null, 'strike') from generate_series(1, 2); select t.goes(); rollback;
select t.goes();
-- nothing else is open: the order waits
update routing.service set status = 'closed' where service = 'air';
select routing.report_service_failure('ground', 'CHI', 'x'), routing.report_service_failure('ground', 'CHI', 'x'),
	   routing.report_service_failure('ground', 'DAL', 'y'), routing.report_service_failure('ground', 'DAL', 'y');
select t.goes(); call t.ord('O7', null, 'A 1'); select "order", status, node from t.l where "order" = 'O7'; select * from t.not_used('O7');

-- when one of them may be used again, or works, run_jobs() routes what waited for it
select routing.run_jobs(); select "order", status from t.l where "order" = 'O7';
set routing.clock_offset = '3700s'; select routing.run_jobs(); select "order", status, node from t.l where "order" = 'O7'; reset routing.clock_offset;
call t.ord('O8', null, 'A 1'); select "order", status, regexp_replace(reason, '\d{4}-.{12}', '(time)') as reason from t.l where "order" = 'O8';
select routing.report_service_success('ground', 'DAL'); select routing.run_jobs(); select "order", status, node from t.l where "order" = 'O8';
select count(*) from routing.service_wait;

-- what is refused
select t.try($$select routing.report_service_failure(null)$$);
select t.try($$select routing.report_service_failure('')$$);
select t.try($$select routing.report_service_failure('pigeon')$$);
select t.try($$select routing.report_service_failure('ground', 'NIL')$$);
select t.try($$select routing.report_service_failure('ground', 'CHI', 'x', '')$$);
select t.try($$select routing.report_service_failure('ground', 'DAL', 'x', 'F1')$$);
select t.try($$select routing.report_service_success('ground', 'CHI', 'F1')$$);
select t.try($$update routing.service set failure_limit = 0$$);
select t.try($$update routing.service set retry_after = '-1 hour'$$);
select t.try($$update routing.service set risk = 1.1$$);
-- reports go with their service
delete from routing.lane where service = 'ground'; delete from routing.service where service = 'ground';
select count(*) from routing.service_report; table t.h;
select * from routing.verify();
call t.clean();
