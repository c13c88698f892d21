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
	aggregatetype		text NOT NULL,
	aggregateid			text NOT NULL,
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
