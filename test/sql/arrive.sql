-- bookings on inbound whose stock has come, and on stock that has gone again
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all

-- two orders on one purchase; 6 of 10 come: the earlier need gets them
call t.stock('A', 'CHI', 10, 5, 'PO-1');
call t.ord('S1', 9, 'A 4 CHI'); call t.ord('S2', 7, 'A 5 CHI');
select * from t.o; select "order", quantity, needed, basis from t.r;
select routing.receive('PO-1', 6, 'GR-1');
select * from t.o; select "order", quantity, needed, basis from t.r;
select * from t.e where id in ('S1', 'S2') and version > 2;

-- the rest comes
select routing.receive('PO-1', 4, 'GR-2');
select * from t.o; select "order", sum(quantity), basis from t.r group by 1, 3 order by 1;

-- 3 are given back to the supplier and ordered again: nobody loses his promise, but the later need waits again
begin;
update routing.supply set quantity = quantity - 3 where item = 'A' and ref = '';
call t.stock('A', 'CHI', 3, 6, 'PO-2');
commit;
select * from t.o; select "order", sum(quantity), basis from t.r group by 1, 3 order by 1, 3;
table t.x;

-- who wants it as soon as possible gets it sooner
call t.stock('B', 'CHI', 8, 10, 'PO-3');
call t.ord('S3', null, 'B 2 CHI');
select line, status, promised from t.l where "order" = 'S3';
update routing.supply set available_on = t.day(4) where ref = 'PO-3';
select line, status, promised from t.l where "order" = 'S3';
select routing.receive('PO-3', 8, 'GR-3');
select line, status, promised from t.l where "order" = 'S3';

-- other demand and holds take part, without an order
call t.stock('C', 'CHI', 5, 5, 'PO-4');
select routing.put_demand('W1', 'C', 'CHI', 3, t.day(8));
select routing.receive('PO-4', 5, 'GR-4');
select "order", quantity, needed, basis, state from t.r where item = 'C';
select * from routing.verify();
