-- payloads against the catalog of event types: the catalog itself, what a schema can say, what happens to a wrong event
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- every type has a schema that can be used, closed, with its own id and no reference to nowhere
select type, routing.event_problem(type, '{}', schemaversion) from routing.event_type
where routing.event_problem(type, '{}', schemaversion) is null or routing.event_problem(type, '{}', schemaversion) ~ 'cannot be used';
select count(*) > 10 as many, count(distinct json_schema ->> '$id') = count(*) as ids_differ,
	   bool_and(json_schema ->> '$schema' = 'https://json-schema.org/draft/2020-12/schema'
				and json_schema ->> '$id' = 'urn:routing:schema:' || regexp_replace(type, '\.v\d+$', '') || ':' || schemaversion
				and json_schema ->> 'title' = type and json_schema -> 'additionalProperties' = 'false'
				and type ~ '^[a-z_]+\.[a-z_]+\.v[1-9]$' and description <> '') as complete
from routing.event_type;
-- each field is described, by itself or by what it refers to; nowhere is an object open
select type, f.key from routing.event_type, jsonb_each(json_schema -> 'properties') f
where not f.value ?| array['description', '$ref', 'const', 'enum']
union all
select type, d.key from routing.event_type, jsonb_each(json_schema -> '$defs') d
where d.value ->> 'type' = 'object' and d.value -> 'additionalProperties' is distinct from 'false';
-- a schema of each keyword
create function t.check(schema jsonb, payload jsonb) returns text language plpgsql as $$
begin
	delete from routing.event_type where type = 'test.x.v1';
	insert into routing.event_type (type, schemaversion, aggregatetype, description, json_schema)
	values ('test.x.v1', 1, 'test', 'a test', schema);
	return coalesce(routing.event_problem('test.x.v1', payload), 'valid');
end
$$;
begin;
select p, t.check('{"type": "integer"}', p::jsonb) from unnest(array['1', '1.0', '1.5', '"1"', 'true', 'null', '[]', '{}']) p;
select p, t.check('{"type": ["number", "null", "boolean"]}', p::jsonb) from unnest(array['1', '1.5', 'null', 'false', '"x"', '{"a": 1}']) p;
select p, t.check('{"type": "string", "minLength": 1, "maxLength": 3}', p::jsonb) from unnest(array['""', '"a"', '"äöü"', '"abcd"', '7']) p;
select p, t.check('{"pattern": "^-?[0-9]+(\\.[0-9]{1,4})?$"}', p::jsonb) from unnest(array['"-12.5"', '"12.50000"', '"12.5 "', '"x\n12"', '"12\n"', '""', '12.50000']) p;
select p, t.check('{"minimum": 0, "maximum": 2.5}', p::jsonb) from unnest(array['0', '-0.0001', '2.5', '2.50001', '"3"']) p;
select p, t.check('{"enum": ["a", 1, true, null]}', p::jsonb) from unnest(array['"a"', '1.0', 'true', 'null', '"b"', 'false', '2', '[]']) p;
select p, t.check('{"const": "a"}', p::jsonb) from unnest(array['"a"', '"A"', '{}']) p;
select p, t.check('{"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer"}}', p::jsonb)
from unnest(array['[1]', '[1, 2]', '[]', '[1, 2, 3]', '[1, "2"]', '{}']) p;
select p, t.check('{"type": "object", "required": ["a"], "additionalProperties": false, "properties":
	{"a": {"type": "integer"}, "bb": {"type": "object", "required": ["c"], "properties": {"c": {"type": "array", "items": {"const": 1}}}}}}', p::jsonb)
from unnest(array['{"a": 1}', '{"a": 1, "bb": {"c": []}}', '{"a": 1, "bb": {"c": [1], "d": 0}}', '{}', '{"bb": {"c": []}}', '{"a": 1, "bb": {}}',
	'{"a": 1, "b": 1}', '{"a": 1, "ccc": 1}', '{"a": 1, "": 1}', '{"a": null}', '{"a": 1, "bb": {"c": [1, 1, 2]}}', '[]']) p;
select p, t.check('{"properties": {"x/~y": {"$ref": "#/$defs/d", "description": "with more", "maximum": 5}}, "$defs": {"d": {"$ref": "#/$defs/e"}, "e": {"type": "integer"}}}', p::jsonb)
from unnest(array['{"x/~y": 5}', '{"x/~y": 6}', '{"x/~y": "z"}', '{"z": 1}']) p;
select t.check('{"const": "a"}', to_jsonb(repeat('long ', 100)));
-- what no schema may say
select s, t.check(s::jsonb, '{}') from unnest(array['[]', '"x"', 'true', '{"oneOf": []}', '{"properties": {"a": {"if": {}}}}', '{"type": "text"}', '{"type": []}', '{"type": ["string", 1]}',
	'{"required": ["a"]}', '{"required": "a"}', '{"properties": []}', '{"properties": {"a": true}}', '{"additionalProperties": {}}', '{"items": []}', '{"minItems": -1}', '{"maxItems": 1.5}',
	'{"minLength": "1"}', '{"minimum": "1"}', '{"enum": []}', '{"enum": [[]]}', '{"const": {}}', '{"pattern": "("}', '{"pattern": 1}',
	'{"$ref": "other"}', '{"$ref": 1}', '{"$ref": "#/$defs/a"}', '{"$ref": "#/$defs/a", "$defs": []}', '{"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}',
	'{"$ref": "#/$defs/a", "$defs": {"a": {"oneOf": []}}}']) s;
select routing.event_problem('test.y.v1', '{}'), routing.event_problem('test.x.v1', '{}', 2), routing.event_problem('test.x.v1', '{}', -3), routing.event_problem(null, '{}') is null as nothing;
-- the last version counts unless one is named
select t.check('{"required": ["a"], "properties": {"a": {}}}', '{}');
insert into routing.event_type (type, schemaversion, aggregatetype, description, json_schema) values ('test.x.v1', 3, 'test', 'a test', '{"required": ["b"], "properties": {"b": {}}}');
select v, routing.event_problem('test.x.v1', '{}', v) from unnest(array[null, 1, 2, 3, 4]) v;
rollback;
-- a payload that the catalog does not allow, by mode
set routing.event_validate = error;
update routing.event_type set json_schema = jsonb_set(json_schema, '{properties,priority,maximum}', '3') where type = 'order.received.v1';
call t.stock('A', 'CHI', 50);
call t.ord('V1', null, 'A 2');
\echo :LAST_ERROR_SQLSTATE
set routing.event_validate = warn;
call t.ord('V2', null, 'A 2');
set routing.event_validate = off;
call t.ord('V3', null, 'A 2');
set routing.event_validate = error;
call t.ord('V4', null, 'A 2', customer => 'GOLD');
-- a schema that cannot be used, a type that is not there: only its own events are concerned
update routing.event_type set json_schema = json_schema || '{"oneOf": []}' where type = 'order.received.v1';
call t.ord('V5', null, 'A 2');
\echo :LAST_ERROR_SQLSTATE
begin;
delete from routing.event_type where type = 'order.received.v1';
call t.ord('V6', null, 'A 2');
commit;
update routing.supply set quantity = 51 where item = 'A';
update routing.event_type set json_schema = jsonb_set(json_schema - 'oneOf', '{properties,priority}', (json_schema #> '{properties,priority}') - 'maximum') where type = 'order.received.v1';
call t.ord('V7', null, 'A 2');
table t.o;
select aggregateid, aggregateversion, type, routing.event_problem(type, payload, schemaversion) as problem from routing.event order by seq;
-- the mode is the operator's choice
create role schemas_reader; select routing.grant_access('schemas_reader', 'read');
set role schemas_reader;
set routing.event_validate = off;
select routing.event_problem('promise.confirmed.v1', '{"promise_id": "H", "order_id": ""}');
reset role;
set routing.event_validate = loud;
delete from routing.tenant_member where role = 'schemas_reader'; drop owned by schemas_reader; drop role schemas_reader;
select * from routing.verify();
