-- consumers of the event table: where each stands, what it could not process

/*
 * A place in the stream is (epoch, snapshot, low): read is what is visible
 * there, that is rows of older epochs and those of this epoch whose
 * transaction is visible in the snapshot.  Rows of transactions that begin
 * with the snapshot's xmax have a seq above low.
 *
 * A consumer reads windows: what is visible at the place "cur" and not at
 * "last", in the order of seq; seq_done is how far it got in the window.
 * Without a window the columns cur_* are null, without a batch batch_to is.
 * A batch is what lies between seq_done and batch_to, without what is in
 * consumer_wait, and the rows of consumer_wait that have its batch_id.
 */
CREATE SEQUENCE routing.consumer_batch_seq;
CREATE TABLE routing.consumer (
	tenant_id		int NOT NULL DEFAULT routing.current_tenant(),
	consumer		text COLLATE "C" NOT NULL,
	types			text[],
	partition_no	int NOT NULL DEFAULT 0,
	partitions		int NOT NULL DEFAULT 1,
	on_error		text NOT NULL DEFAULT 'park_aggregate',
	max_attempts	int NOT NULL,
	backoff			interval NOT NULL,
	last_epoch		int NOT NULL,
	last_snapshot	pg_snapshot NOT NULL,
	last_low		bigint NOT NULL,
	cur_epoch		int,
	cur_snapshot	pg_snapshot,
	cur_low			bigint,
	cur_high		bigint,
	seq_done		bigint NOT NULL DEFAULT 0,
	batch_id		bigint,
	batch_to		bigint,
	batch_at		timestamptz,
	last_seen		timestamptz,
	registered_at	timestamptz NOT NULL DEFAULT clock_timestamp(),
	registered_by	text NOT NULL DEFAULT session_user,
	PRIMARY KEY (tenant_id, consumer),
	CHECK (partitions BETWEEN 1 AND 1024 AND partition_no BETWEEN 0 AND partitions - 1),
	CHECK (on_error IN ('block', 'park_aggregate', 'skip')),
	CHECK (max_attempts BETWEEN 1 AND 1000)
) WITH (fillfactor = 50);
ALTER SEQUENCE routing.consumer_batch_seq OWNED BY routing.consumer.batch_id;
COMMENT ON TABLE routing.consumer IS 'readers of the event table by SQL: what they want, and how far they are';
COMMENT ON COLUMN routing.consumer.batch_id IS 'of the batch that is open or was last; no two consumers have the same';
COMMENT ON COLUMN routing.consumer.batch_to IS 'end of the open batch within the window; null: none is open';
COMMENT ON COLUMN routing.consumer.seq_done IS 'within the window everything up to here is acknowledged';

CREATE TABLE routing.consumer_wait (
	tenant_id		int NOT NULL,
	consumer		text COLLATE "C" NOT NULL,
	seq				bigint NOT NULL,
	part_on			date NOT NULL,
	event_id		uuid NOT NULL,
	aggregatetype	text COLLATE "C" NOT NULL,
	aggregateid		text COLLATE "C" NOT NULL,
	type			text NOT NULL,
	state			text NOT NULL,
	attempts		int NOT NULL DEFAULT 0,
	due_at			timestamptz NOT NULL,
	failed_at		timestamptz,
	reason			text,
	batch_id		bigint,
	PRIMARY KEY (tenant_id, consumer, seq),
	CHECK (state IN ('retry', 'behind', 'dead', 'done'))
);
CREATE INDEX ON routing.consumer_wait (tenant_id, consumer, aggregatetype, aggregateid, seq);
CREATE INDEX ON routing.consumer_wait (tenant_id, consumer, due_at);
-- few of many that may be parked
CREATE INDEX ON routing.consumer_wait (tenant_id, consumer, batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX ON routing.consumer_wait (tenant_id, consumer) WHERE state = 'done';
COMMENT ON TABLE routing.consumer_wait IS
	'events that a consumer gets later than in their turn: refused ones, and what waits behind them';
COMMENT ON COLUMN routing.consumer_wait.state IS
	'retry: comes again when due_at has passed; behind: waits for an earlier event of its aggregate; dead: see dead_letter; done: discarded, kept until the open batch ends';
COMMENT ON COLUMN routing.consumer_wait.batch_id IS 'the open batch that it is part of';

CREATE TABLE routing.dead_letter (
	tenant_id		int NOT NULL,
	consumer		text COLLATE "C" NOT NULL,
	event_id		uuid NOT NULL,
	seq				bigint NOT NULL,
	part_on			date NOT NULL,
	aggregatetype	text NOT NULL,
	aggregateid		text NOT NULL,
	type			text NOT NULL,
	state			text NOT NULL,
	parked			boolean NOT NULL,
	attempts		int NOT NULL,
	reason			text,
	dead_at			timestamptz NOT NULL,
	closed_at		timestamptz,
	closed_by		text,
	PRIMARY KEY (tenant_id, consumer, event_id),
	CHECK (state IN ('dead', 'released', 'discarded', 'replayed', 'gone'))
);
COMMENT ON TABLE routing.dead_letter IS 'events that a consumer refused too often, or that were discarded for it';
COMMENT ON COLUMN routing.dead_letter.parked IS 'whether later events wait for it: of its aggregate, or of the whole stream if the consumer blocks';

/*
 * Places in the stream by time, so that somebody who only knows an event or a
 * time finds one from where nothing is missing.
 */
CREATE TABLE routing.stream_mark (
	tenant_id	int NOT NULL,
	marked_at	timestamptz NOT NULL,
	epoch		int NOT NULL,
	timeline	int NOT NULL,
	snapshot	pg_snapshot NOT NULL,
	low			bigint NOT NULL,
	PRIMARY KEY (tenant_id, marked_at)
);
COMMENT ON TABLE routing.stream_mark IS 'what was visible of the event stream at a time; consumers start and replay from there';
