-- the life of policies: drafts, approval, activation

CREATE FUNCTION routing.check_policy(tenant_id int, policy text, version int, definition jsonb,
									 base_version int DEFAULT NULL, strict boolean DEFAULT true) RETURNS void
	LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'routing_check_policy';
COMMENT ON FUNCTION routing.check_policy(int, text, int, jsonb, int, boolean) IS
	'internal: an error that names the path unless the definition is valid';

CREATE FUNCTION routing.policy_in_effect(tenant_id int, policy text, clock timestamptz) RETURNS int
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.version FROM routing.policy p
	WHERE p.tenant_id = $1 AND p.policy = $2 AND p.state = 'active'
	  AND (p.effective_at IS NULL OR p.effective_at <= p.activated_at OR p.effective_at <= $3)
	ORDER BY p.effective_at DESC NULLS LAST, p.version DESC LIMIT 1
$$;
COMMENT ON FUNCTION routing.policy_in_effect(int, text, timestamptz) IS
	'internal: the version of a policy that counts at an instant, or null';

/*
 * Codes and functions that a definition names.  A draft may name what will be
 * there later; what is approved or activated may not.
 */
CREATE FUNCTION routing.check_policy_references(tenant int, policy text, version int, definition jsonb) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r		record;
	f		record;
	f_oid	regprocedure;
BEGIN
	WITH settings AS (
		SELECT '' AS path, definition AS s
		UNION ALL
		SELECT format('rules[%s].set.', n - 1), e -> 'set'
		FROM jsonb_array_elements(nullif(definition -> 'rules', 'null')) WITH ORDINALITY AS u (e, n)
	), conditions AS (
		SELECT format('rules[%s].when.', n - 1) AS path, e -> 'when' AS w
		FROM jsonb_array_elements(nullif(definition -> 'rules', 'null')) WITH ORDINALITY AS u (e, n)
	), named AS (
		SELECT 'node' AS kind, format('%snodes.list[%s]', path, n - 1) AS path, code
		FROM settings, jsonb_array_elements_text(s #> '{nodes,list}') WITH ORDINALITY AS u (code, n)
		UNION ALL
		SELECT 'node', format('%skeep[%s].node', path, n - 1), e ->> 'node'
		FROM settings, jsonb_array_elements(nullif(s -> 'keep', 'null')) WITH ORDINALITY AS u (e, n)
		WHERE e ->> 'node' IS NOT NULL
		UNION ALL
		SELECT k, format('%s%s[%s]', path, k, n - 1), code
		FROM conditions, unnest(ARRAY['channel', 'zone']) AS k,
			 jsonb_array_elements_text(w -> k) WITH ORDINALITY AS u (code, n)
	)
	SELECT * INTO r FROM named
	WHERE NOT CASE kind
		WHEN 'node' THEN EXISTS (SELECT FROM routing.node x WHERE x.tenant_id = tenant AND x.node = code)
		WHEN 'channel' THEN EXISTS (SELECT FROM routing.channel x WHERE x.tenant_id = tenant AND x.channel = code)
		ELSE EXISTS (SELECT FROM routing.zone x WHERE x.tenant_id = tenant AND x.zone = code) END
	ORDER BY path COLLATE "C" LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT104',
			MESSAGE = format('policy "%s" version %s: %s %s is not a known %s', policy, version, r.path, r.code, r.kind),
			HINT = format('Insert it into routing.%s first, or correct the code in a draft.', r.kind);
	END IF;

	FOR f IN
		SELECT path || format('custom[%s].function', n - 1) AS path,
			   regexp_replace(e ->> 'function', '\(text,text,jsonb\)$', '') AS name
		FROM (SELECT '' AS path, definition AS s
			  UNION ALL
			  SELECT format('rules[%s].set.', n - 1), e -> 'set'
			  FROM jsonb_array_elements(nullif(definition -> 'rules', 'null')) WITH ORDINALITY AS u (e, n)) x,
			 jsonb_array_elements(nullif(s -> 'custom', 'null')) WITH ORDINALITY AS u (e, n)
		ORDER BY 1
	LOOP
		BEGIN
			f_oid := to_regprocedure(f.name || '(text,text,jsonb)');
		EXCEPTION WHEN syntax_error OR invalid_name OR invalid_text_representation OR feature_not_supported THEN
			f_oid := NULL;
		END;
		IF f_oid IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'RT105',
				MESSAGE = format('policy "%s" version %s: %s %s(text,text,jsonb) does not exist', policy, version, f.path, f.name),
				HINT = 'Create it: item text, node text, order document jsonb; it returns numeric.';
		END IF;
		IF NOT EXISTS (SELECT FROM pg_proc p WHERE p.oid = f_oid AND p.prokind = 'f' AND NOT p.proretset
						 AND p.prorettype = 'numeric'::regtype) THEN
			RAISE EXCEPTION USING ERRCODE = 'RT105',
				MESSAGE = format('policy "%s" version %s: %s %s is not a function that returns one numeric',
								 policy, version, f.path, f_oid),
				HINT = 'A custom term returns an amount of money as numeric.';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION routing.check_policy_references(int, text, int, jsonb) IS
	'internal: an error that names the path of a node, channel, zone or function that is not there';

CREATE FUNCTION routing.policy_problem(tenant_id int, policy text, version int, definition jsonb, base_version int) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM routing.check_policy($1, $2, $3, $4, $5, true);
	PERFORM routing.check_policy_references($1, $2, $3, $4);
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	IF SQLSTATE NOT LIKE 'RT%' THEN
		RAISE;
	END IF;
	RETURN SQLERRM;
END
$$;
COMMENT ON FUNCTION routing.policy_problem(int, text, int, jsonb, int) IS
	'internal: what is wrong with a version of a policy, or null; for doctor()';

/*
 * What holds for every writer, by function or plain SQL.
 *
 * Who writes is the session's user: SET ROLE does not make an approver out of
 * an author.  Members of the table's owner may insert versions in any state
 * and with any author, as a restore does, and delete them; they could switch
 * the trigger off anyway.  Nobody approves his own draft, changes a definition
 * that is not a draft, or stores one that is not valid.
 */
CREATE FUNCTION routing.guard_policy() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner		boolean := pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'MEMBER');
	clock		timestamptz := routing.engine_now() + (clock_timestamp() - now());
	was			text := CASE WHEN TG_OP = 'INSERT' THEN 'none' ELSE OLD.state END;
	becomes		text;
	-- a restored row comes with what it was given here, and perhaps before what it names
	restored	boolean := false;
BEGIN
	IF TG_OP = 'DELETE' THEN
		IF NOT owner AND OLD.activated_at IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'RT100',
				MESSAGE = format('policy "%s" version %s was active and is not deleted', OLD.policy, OLD.version),
				HINT = 'Decisions were made by it. Retire it with retire_policy().';
		END IF;
		RETURN OLD;
	END IF;
	IF NOT owner AND NOT routing.is_member(NEW.tenant_id) THEN
		-- row-level security refuses it; checks would tell what there is
		RETURN NEW;
	END IF;
	becomes := NEW.state;
	IF TG_OP = 'INSERT' THEN
		IF owner THEN
			restored := NEW.activated_at IS NOT NULL OR NEW.approved_at IS NOT NULL;
		ELSE
			NEW.author := session_user;
			NEW.created_at := clock;
			NEW.builtin := false;
			NEW.approved_by := NULL;
			NEW.approved_at := NULL;
			NEW.activated_by := NULL;
			NEW.activated_at := NULL;
			NEW.effective_at := NULL;
			NEW.base_version := NULL;
		END IF;
	ELSE
		IF (NEW.tenant_id, NEW.policy, NEW.version) IS DISTINCT FROM (OLD.tenant_id, OLD.policy, OLD.version) THEN
			RAISE EXCEPTION USING ERRCODE = 'RT100',
				MESSAGE = format('policy "%s" version %s cannot get another code or number', OLD.policy, OLD.version),
				HINT = 'Store it anew with put_policy().';
		END IF;
		NEW.author := OLD.author;
		NEW.created_at := OLD.created_at;
		NEW.builtin := OLD.builtin;
		NEW.approved_by := OLD.approved_by;
		NEW.approved_at := OLD.approved_at;
		NEW.activated_by := OLD.activated_by;
		NEW.activated_at := OLD.activated_at;
		NEW.base_version := OLD.base_version;
		IF NEW.definition IS DISTINCT FROM OLD.definition THEN
			IF was <> 'draft' OR becomes <> 'draft' THEN
				RAISE EXCEPTION USING ERRCODE = 'RT100',
					MESSAGE = format('policy "%s" version %s is %s: its definition does not change any more',
									 OLD.policy, OLD.version, CASE was WHEN 'draft' THEN becomes ELSE was END),
					HINT = 'Store a new version with put_policy().';
			END IF;
			NEW.author := session_user;
		END IF;
	END IF;

	IF was <> becomes AND NOT (CASE was
			WHEN 'none' THEN becomes = 'draft' OR owner
			WHEN 'draft' THEN becomes IN ('approved', 'retired') OR owner
			WHEN 'approved' THEN becomes IN ('active', 'retired')
			WHEN 'active' THEN becomes = 'retired'
			ELSE becomes = 'active' AND (OLD.approved_by IS NOT NULL OR OLD.activated_at IS NOT NULL OR owner) END) THEN
		RAISE EXCEPTION USING ERRCODE = 'RT100',
			MESSAGE = CASE was WHEN 'none' THEN format('policy "%s" version %s begins as draft, not %s', NEW.policy, NEW.version, becomes)
				ELSE format('policy "%s" version %s is %s and cannot become %s', NEW.policy, NEW.version, was, becomes) END,
			HINT = CASE WHEN was IN ('none', 'draft') THEN 'Somebody else than its author approves it with approve_policy(), then activate_policy() activates it.'
				ELSE 'A version goes from draft over approved to active and retired; a retired one that was approved may be activated again.' END;
	END IF;

	-- not what only ends: a later release may be stricter than the one that stored it
	IF (CASE WHEN TG_OP = 'INSERT' THEN true
			 ELSE NEW.definition IS DISTINCT FROM OLD.definition OR becomes <> was AND becomes <> 'retired' END) THEN
		PERFORM routing.check_policy(NEW.tenant_id, NEW.policy, NEW.version, NEW.definition, NEW.base_version, false);
	END IF;
	IF was <> becomes AND becomes = 'approved' AND session_user = NEW.author AND NOT restored THEN
		RAISE EXCEPTION USING ERRCODE = 'RT101',
			MESSAGE = format('policy "%s" version %s: %s wrote it and cannot approve it', NEW.policy, NEW.version, session_user),
			HINT = 'Have somebody else approve it.';
	END IF;
	IF becomes IN ('approved', 'active') AND becomes <> was AND NOT restored THEN
		IF NEW.base_version IS NULL AND jsonb_typeof(NEW.definition -> 'extends') = 'string' THEN
			PERFORM routing.check_policy(NEW.tenant_id, NEW.policy, NEW.version, NEW.definition, NULL, true);
			NEW.base_version := coalesce(routing.policy_in_effect(NEW.tenant_id, NEW.definition ->> 'extends', clock), 0);
		END IF;
		PERFORM routing.check_policy_references(NEW.tenant_id, NEW.policy, NEW.version, NEW.definition);
	END IF;
	IF becomes = 'approved' AND was <> becomes AND NOT restored THEN
		NEW.approved_by := session_user;
		NEW.approved_at := clock;
	END IF;
	IF becomes = 'active' AND NOT restored
	   AND (was <> 'active' OR NEW.effective_at IS DISTINCT FROM OLD.effective_at) THEN
		NEW.activated_by := session_user;
		NEW.activated_at := clock;
		NEW.effective_at := coalesce(NEW.effective_at, clock);
	ELSIF becomes IN ('draft', 'approved') THEN
		NEW.effective_at := NULL;
	ELSIF TG_OP = 'UPDATE' AND becomes = 'retired' THEN
		NEW.effective_at := OLD.effective_at;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION routing.guard_policy() IS
	'trigger: the states of a policy version, who may bring it there, and that its definition is valid';
CREATE TRIGGER guard_policy BEFORE INSERT OR UPDATE OR DELETE ON routing.policy
	FOR EACH ROW EXECUTE FUNCTION routing.guard_policy();
ALTER TABLE routing.policy ENABLE ALWAYS TRIGGER guard_policy;

-- the version, locked against others who change the policy's states
CREATE FUNCTION routing.lock_policy(policy text, version int) RETURNS routing.policy
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	p		routing.policy;
BEGIN
	PERFORM FROM routing.policy t WHERE t.tenant_id = tenant AND t.policy = $1 ORDER BY t.version FOR UPDATE;
	SELECT * INTO p FROM routing.policy t WHERE t.tenant_id = tenant AND t.policy = $1 AND t.version = $2;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'RT103',
			MESSAGE = format('policy %s has no version %s', coalesce('"' || $1 || '"', 'null'), coalesce($2::text, 'null')),
			HINT = 'The versions of a policy are in routing.policies.';
	END IF;
	RETURN p;
END
$$;
COMMENT ON FUNCTION routing.lock_policy(text, int) IS 'internal: a version of a policy, whose versions are locked until the end of the transaction';

CREATE FUNCTION routing.put_policy(policy text, definition jsonb, comment text DEFAULT '') RETURNS int
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tenant	int := routing.current_tenant();
	number	int;
BEGIN
	-- two who store a version at once get two numbers
	PERFORM pg_advisory_xact_lock(hashtextextended(format('routing.policy %s %s', tenant, $1), 0));
	SELECT coalesce(max(p.version), 0) + 1 INTO number FROM routing.policy p WHERE p.tenant_id = tenant AND p.policy = $1;
	INSERT INTO routing.policy (tenant_id, policy, version, definition, comment)
	VALUES (tenant, $1, number, $2, coalesce($3, ''));
	RETURN number;
END
$$;
COMMENT ON FUNCTION routing.put_policy(text, jsonb, text) IS 'stores a new version of a policy as a draft and returns its number';

CREATE FUNCTION routing.approve_policy(policy text, version int) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	p	routing.policy := routing.lock_policy($1, $2);
BEGIN
	IF p.state = 'approved' THEN
		RETURN;
	ELSIF p.state <> 'draft' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT100',
			MESSAGE = format('policy "%s" version %s is %s and cannot become approved', p.policy, p.version, p.state),
			HINT = 'Only a draft is approved. Store a new version with put_policy().';
	END IF;
	UPDATE routing.policy t SET state = 'approved'
	WHERE t.tenant_id = p.tenant_id AND t.policy = p.policy AND t.version = p.version;
END
$$;
COMMENT ON FUNCTION routing.approve_policy(text, int) IS 'approves a draft that somebody else wrote';

CREATE FUNCTION routing.activate_policy(policy text, version int, effective_at timestamptz DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	p		routing.policy := routing.lock_policy($1, $2);
	clock	timestamptz := routing.engine_now() + (clock_timestamp() - now());
	current	int := routing.policy_in_effect(p.tenant_id, p.policy, clock);
BEGIN
	IF p.state = 'draft' OR p.state = 'retired' AND p.approved_by IS NULL AND p.activated_at IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'RT100',
			MESSAGE = format('policy "%s" version %s is not approved', p.policy, p.version),
			HINT = 'Have somebody else than its author approve it with approve_policy().';
	END IF;
	IF NOT isfinite($3) OR $3 < clock - interval '1 minute' THEN
		RAISE EXCEPTION USING ERRCODE = 'RT106',
			MESSAGE = format('effective_at %s is not now or later', $3),
			HINT = 'Decisions that were made already keep their version; leave it out for at once.';
	END IF;
	IF p.version = current THEN
		IF $3 > clock THEN
			RAISE EXCEPTION USING ERRCODE = 'RT100',
				MESSAGE = format('policy "%s" version %s is in effect already', p.policy, p.version),
				HINT = 'Activate another version at that instant instead.';
		END IF;
		RETURN;
	END IF;
	UPDATE routing.policy t SET state = 'active', effective_at = CASE WHEN $3 > clock THEN $3 ELSE clock END
	WHERE t.tenant_id = p.tenant_id AND t.policy = p.policy AND t.version = p.version;
	-- at once: what was in effect is not any more; later: that goes on until then, what it followed is over
	UPDATE routing.policy t SET state = 'retired'
	WHERE t.tenant_id = p.tenant_id AND t.policy = p.policy AND t.version <> p.version AND t.state = 'active'
	  AND (t.effective_at IS NULL OR t.effective_at <= t.activated_at OR t.effective_at <= clock)
	  AND (t.version IS DISTINCT FROM current OR $3 IS NULL OR $3 <= clock);
END
$$;
COMMENT ON FUNCTION routing.activate_policy(text, int, timestamptz) IS
	'makes an approved, or formerly active, version of a policy the one that counts, at once or from an instant on';

CREATE FUNCTION routing.retire_policy(policy text, version int) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	p		routing.policy := routing.lock_policy($1, $2);
	clock	timestamptz := routing.engine_now() + (clock_timestamp() - now());
	current	int := routing.policy_in_effect(p.tenant_id, p.policy, clock);
BEGIN
	-- what the one in effect followed does not come back
	UPDATE routing.policy t SET state = 'retired'
	WHERE t.tenant_id = p.tenant_id AND t.policy = p.policy AND t.state <> 'retired'
	  AND (t.version = p.version
		   OR p.version = current AND t.state = 'active'
			  AND (t.effective_at IS NULL OR t.effective_at <= t.activated_at OR t.effective_at <= clock));
END
$$;
COMMENT ON FUNCTION routing.retire_policy(text, int) IS 'takes a version of a policy out of use: a draft, an approved, scheduled or active one';
