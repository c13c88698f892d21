-- epochs of the event stream

CREATE FUNCTION routing.stream_epoch() RETURNS int
	LANGUAGE c STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'routing_stream_epoch';
COMMENT ON FUNCTION routing.stream_epoch() IS
	'the epoch of the events that are written now: 1 at first, the next one after a restore into another cluster';

CREATE FUNCTION routing.system_identifier() RETURNS bigint
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'routing_system_identifier';
COMMENT ON FUNCTION routing.system_identifier() IS
	'the identifier of this cluster, as routing.stream_epoch has it';

CREATE FUNCTION routing.append_stream_event(tenant_id int, type text, payload jsonb) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'routing_append_stream_event';
COMMENT ON FUNCTION routing.append_stream_event(int, text, jsonb) IS
	'internal: appends an event of a tenant''s stream itself; the caller has locked routing.stream_epoch';

CREATE FUNCTION routing.start_stream_epoch(cause text) RETURNS int
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_epoch	int;
BEGIN
	IF coalesce(btrim(cause), '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT011',
			MESSAGE = 'cause must not be empty', HINT = 'Say why consumers see a new epoch, for instance "restored from a file system snapshot".';
	END IF;
	-- no event of the old epoch may still become visible after this one began
	LOCK TABLE routing.event IN SHARE ROW EXCLUSIVE MODE;
	LOCK TABLE routing.stream_epoch IN SHARE UPDATE EXCLUSIVE MODE;
	INSERT INTO routing.stream_epoch (epoch, system_identifier, cause)
	SELECT coalesce(max(e.epoch), 0) + 1, routing.system_identifier(), btrim(start_stream_epoch.cause)
	FROM routing.stream_epoch e
	RETURNING epoch INTO new_epoch;
	IF new_epoch > 1 THEN
		PERFORM routing.append_stream_event(t.tenant_id, 'stream.epoch_started.v1',
											jsonb_build_object('epoch', new_epoch, 'cause', btrim(start_stream_epoch.cause)))
		FROM (SELECT t.tenant_id FROM routing.tenant t ORDER BY 1) t;
	END IF;
	RETURN new_epoch;
END
$$;
COMMENT ON FUNCTION routing.start_stream_epoch(text) IS
	'starts a new epoch of the event stream by hand; waits for the transactions that are writing events; returns its number';
