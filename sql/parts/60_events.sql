-- the event table: insert only, range partitions by part_on

/*
 * The parent has neither key nor index and the script makes no partition: a
 * key on the parent breaks every restore, a partition made here would be a
 * member and its rows would be missing from dumps.  routing.event_partition()
 * makes the leaves, each with its own primary key and indexes.
 */
CREATE SEQUENCE routing.event_seq;
CREATE TABLE routing.event (
	tenant_id			int NOT NULL,
	seq					bigint NOT NULL,
	part_on				date NOT NULL,
	recorded_at			timestamptz NOT NULL,
	event_ts			timestamp(6) NOT NULL,
	id					uuid NOT NULL,
	xid					xid8 NOT NULL,
	epoch				int NOT NULL,
	tenantid			text NOT NULL,
	aggregatetype		text COLLATE "C" NOT NULL,
	aggregateid			text COLLATE "C" NOT NULL,
	aggregateversion	bigint NOT NULL,
	type				text NOT NULL,
	schemaversion		int NOT NULL,
	occurred_at			timestamptz NOT NULL,
	correlationid		text,
	causationid			uuid,
	traceparent			text,
	tracestate			text,
	tracingspancontext	text,
	actor				text,
	payload				jsonb NOT NULL
) PARTITION BY RANGE (part_on);
ALTER SEQUENCE routing.event_seq OWNED BY routing.event.seq;
COMMENT ON TABLE routing.event IS 'every event, in the columns that an outbox router expects; insert only';

/*
 * No row is made here: it would stand in the way of a restored one.  The
 * first event of a cluster records its epoch.
 */
CREATE TABLE routing.stream_epoch (
	epoch				int PRIMARY KEY CHECK (epoch BETWEEN 1 AND 9999),
	system_identifier	bigint NOT NULL,
	started_at			timestamptz NOT NULL DEFAULT clock_timestamp(),
	started_by			text NOT NULL DEFAULT session_user,
	cause				text NOT NULL
);
COMMENT ON TABLE routing.stream_epoch IS
	'epochs of the event stream: the cluster whose transaction ids and WAL positions its events carry';

CREATE TABLE routing.event_stream (
	tenant_id		int,
	aggregatetype	text COLLATE "C",
	aggregateid		text COLLATE "C",
	event_version	bigint NOT NULL,
	PRIMARY KEY (tenant_id, aggregatetype, aggregateid)
);
COMMENT ON TABLE routing.event_stream IS
	'engine''s own: lock and version of the streams that no other row has: those of policies, nodes and the event stream itself';

CREATE TABLE routing.event_type (
	type			text COLLATE "C",
	schemaversion	int CHECK (schemaversion >= 1),
	aggregatetype	text NOT NULL,
	status			text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deprecated')),
	since			text NOT NULL DEFAULT '1.0',
	replaced_by		text,
	description		text NOT NULL,
	json_schema		jsonb NOT NULL,
	PRIMARY KEY (type, schemaversion)
);
COMMENT ON TABLE routing.event_type IS
	'the catalog of event types: the JSON Schema (2020-12) of the payload of each type and schema version';

CREATE TABLE routing.stream_tick (
	only_row		boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	epoch			int NOT NULL,
	snapshot		pg_snapshot NOT NULL,
	notified_at		timestamptz NOT NULL,
	heartbeat_at	timestamptz NOT NULL,
	heartbeat_lsn	pg_lsn NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE routing.stream_tick IS
	'what tick() last told those who listen of: at most one row';
