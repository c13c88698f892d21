-- reading policies

CREATE VIEW routing.policies WITH (security_invoker = true) AS
SELECT p.tenant_id, p.policy, p.version,
	   CASE WHEN p.state <> 'active' THEN p.state
			WHEN p.version = e.version THEN 'active'
			WHEN p.effective_at > routing.engine_now() THEN 'scheduled'
			ELSE 'retired' END AS state,
	   p.effective_at, p.author, p.created_at, p.comment, p.approved_by, p.approved_at, p.activated_by, p.activated_at,
	   p.definition ->> 'extends' AS extends, p.base_version, p.definition
FROM routing.policy p,
	 LATERAL (SELECT routing.policy_in_effect(p.tenant_id, p.policy, routing.engine_now()) AS version) e;
COMMENT ON VIEW routing.policies IS
	'versions of policies with their state now: draft, approved, scheduled, active or retired; who wrote, approved and activated them';

CREATE FUNCTION routing.policy_effective(policy text DEFAULT 'standard', channel text DEFAULT NULL, customer_group text DEFAULT NULL,
										 zone text DEFAULT NULL, country text DEFAULT NULL, item_class text DEFAULT NULL,
										 version int DEFAULT NULL)
	RETURNS TABLE (key text, value text)
	LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'routing_policy_effective';
COMMENT ON FUNCTION routing.policy_effective(text, text, text, text, text, text, int) IS
	'what a policy says of a case: each key with its value after the goal, what it extends and the rules that match';

CREATE FUNCTION routing.policy_leaves(definition jsonb) RETURNS TABLE (path text, value jsonb)
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE leaf (path, value) AS (
		SELECT '', definition
		UNION ALL
		SELECT CASE WHEN l.path = '' OR m.key LIKE '[%' THEN l.path || m.key ELSE l.path || '.' || m.key END, m.value
		FROM leaf l, LATERAL (
			SELECT e.key, e.value FROM jsonb_each(CASE jsonb_typeof(l.value) WHEN 'object' THEN l.value END) e
			UNION ALL
			SELECT format('[%s]', u.n - 1), u.e
			FROM jsonb_array_elements(CASE jsonb_typeof(l.value) WHEN 'array' THEN l.value END) WITH ORDINALITY AS u (e, n)) m
	)
	SELECT path, value FROM leaf
	WHERE path <> '' AND (jsonb_typeof(value) NOT IN ('object', 'array') OR value IN ('{}', '[]'))
$$;
COMMENT ON FUNCTION routing.policy_leaves(jsonb) IS 'internal: the values in a definition, by path';

CREATE FUNCTION routing.policy_diff(policy text, v1 int, v2 int) RETURNS TABLE (path text, old jsonb, new jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	a		jsonb := (SELECT p.definition FROM routing.policy p WHERE p.tenant_id = tenant AND p.policy = $1 AND p.version = $2);
	b		jsonb := (SELECT p.definition FROM routing.policy p WHERE p.tenant_id = tenant AND p.policy = $1 AND p.version = $3);
BEGIN
	IF a IS NULL OR b IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT103',
			MESSAGE = format('policy %s has no version %s', coalesce('"' || $1 || '"', 'null'),
							 coalesce(CASE WHEN a IS NULL THEN $2 ELSE $3 END::text, 'null')),
			HINT = 'The versions of a policy are in routing.policies.';
	END IF;
	RETURN QUERY
	SELECT coalesce(x.path, y.path), x.value, y.value
	FROM routing.policy_leaves(a) x FULL JOIN routing.policy_leaves(b) y ON y.path = x.path
	WHERE x.value IS DISTINCT FROM y.value
	ORDER BY coalesce(x.path, y.path) COLLATE "C";
END
$$;
COMMENT ON FUNCTION routing.policy_diff(text, int, int) IS 'what differs between the definitions of two versions of a policy';
