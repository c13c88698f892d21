-- A consumer by SQL: it takes a batch and acknowledges it.
\pset tuples_only on
\pset format unaligned

SELECT routing.consumer_register('demo_sql', 'oldest', types => '{order.allocated.*}') AS registered \gset
SELECT format('  consumer_next: batch %s, %s %s, version %s', batch_id, type, aggregateid, aggregateversion)
FROM routing.consumer_next('demo_sql', 3);
SELECT batch_id FROM routing.consumer_status('demo_sql') \gset
SELECT routing.consumer_ack('demo_sql', :batch_id) AS acknowledged \gset
SELECT format('  consumer_ack: batch %s; %s events still to be read', :batch_id, lag_events) FROM routing.consumer_status('demo_sql');
SELECT routing.consumer_unregister('demo_sql') AS unregistered \gset
