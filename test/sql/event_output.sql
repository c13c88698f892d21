-- what consumers of the output plugin have in SQL, and its settings
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all

-- the hash is a promise: these values may never change
select id, routing.event_hash(id) as hash, routing.event_hash(id) = (hashtext(id) & 2147483647) as as_hashtext
from unnest(array['SO-1', 'SKU-1@CHI-1', 'acme/SO-1', ' ']) id;
select routing.event_hash(''), routing.event_hash(repeat('x', 65536)) <> 0 as long, routing.event_hash(repeat('x', 65537)) as too_long, routing.event_hash(null) is null as of_null;

-- a payload by its reference
call t.stock('A', 'CHI', 5);
call t.ord('E1', 3, 'A 2');
select type, routing.event_payload('urn:routing:x:default:event:' || part_on || ':' || tenant_id || ':' || seq) = payload as found
from routing.event order by seq;
select routing.event_payload('urn:routing:x:default:event:' || part_on || ':' || tenant_id || ':' || seq + 1000000) is null as gone,
	   routing.event_payload('x:event:' || part_on || ':' || tenant_id + 1 || ':' || seq) is null as no_tenant
from routing.event limit 1;
select routing.event_payload('urn:x:event:2026-02-30:1:1');
select routing.event_payload('urn:x:event:2026-02-28:1:9999999999999999999');
select routing.event_payload('urn:x:event:2026-02-28:1:1;');
select routing.event_payload('');

-- the settings
set routing.event_source = 'urn:a b';
set routing.event_source = 'urn:<x>';
set routing.event_source = 'https://acme.example/orders';
set routing.event_type_prefix = 'com acme';
set routing.event_type_prefix = 'com."';
set routing.event_type_prefix = 'com.acme.';
show routing.event_source;
show routing.event_type_prefix;
