/* routing: promises, sources and allocates a distributor's orders. */

-- complain if the script is sourced in psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION routing" to load this file. \quit

/*
 * The schema is ours alone: whoever may create objects in it could shadow a
 * function that runs with the rights of the extension's owner.
 */
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n,
					  pg_catalog.aclexplode(n.nspacl) a
			   WHERE n.nspname OPERATOR(pg_catalog.=) 'routing'
				 AND a.privilege_type OPERATOR(pg_catalog.=) 'CREATE'
				 AND a.grantee OPERATOR(pg_catalog.<>) n.nspowner) THEN
		RAISE EXCEPTION 'schema "routing" exists and other roles may create objects in it'
			USING HINT = 'Drop the schema or revoke CREATE on it first.';
	END IF;
END
$$;
