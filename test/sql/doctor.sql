-- doctor: what nobody looks after
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create view t.d as
	select severity, subject, regexp_replace(problem, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00', 'TIME') as problem,
		   replace(remedy, current_user, 'USER') as remedy
	from routing.doctor() where subject ~ '^(prepared|routing.roll)' order by 1, 2;
\set ECHO all

-- dated supply that nobody rolled for a day, stock on hand is not dated
call t.stock('A', 'CHI', 5); set routing.clock_offset = '25 h'; table t.d; reset routing.clock_offset;
call t.stock('A', 'CHI', 5, 3); table t.d;
set routing.clock_offset = '25 h'; table t.d;
select routing.roll() >= 0 as rolled; table t.d;
set routing.clock_offset = '48 h'; table t.d; set routing.clock_offset = '50 h'; table t.d;
-- a lot that ends is dated too
update routing.supply set quantity = 0 where ref <> ''; table t.d; update routing.supply set expires_on = t.day(9) where ref = '';
set routing.clock_offset = '76 h'; table t.d; reset routing.clock_offset;
delete from routing.setting;

-- a prepared transaction that keeps a position for itself
begin; call t.ord('O1', 4, 'A 2 CHI'); prepare transaction 'routing it''s';
table t.d; set routing.clock_offset = '2 min'; select severity, subject, split_part(problem, ' at ', 2) as problem, remedy from t.d where subject !~ 'roll'; reset routing.clock_offset;
rollback prepared 'routing it''s';
-- one that only read is nobody's concern
begin; select count(*) as "0" from routing.sales_order; prepare transaction 'routing reads';
set routing.clock_offset = '2 min'; select count(*) as "0" from t.d where subject !~ 'roll'; reset routing.clock_offset;
rollback prepared 'routing reads';
select * from routing.verify();
