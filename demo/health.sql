-- What must hold afterwards.
\pset tuples_only on
\pset format unaligned

SELECT 'HEALTH  rows of verify(): ' || count(*) FROM routing.verify();
SELECT '        differences between the ERP and the engine, by reconcile(): '
	   || (SELECT count(*) FROM routing.reconcile('stock')) + (SELECT count(*) FROM routing.reconcile('purchases'))
		  + (SELECT count(*) FROM routing.reconcile('orders'))
	   || ', keys pending: ' || (SELECT count(*) FROM routing.pending);
SELECT '        doctor(): ' || coalesce(string_agg(format('%s: %s (%s)', subject, problem, remedy), E'\n                  '),
									   'nothing to mend') FROM routing.doctor();
