# Leaving: DROP EXTENSION and DROP DATABASE are clean, the ERP's tables stay
# usable and keep their rows, and the extension can be created again, also under
# sessions that have used it before.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $node = new_server('drop');
my $db   = 'postgres';

# what is left of the extension in the database
my $remains = q(
SELECT 'relation', oid::regclass::text FROM pg_class WHERE relnamespace = to_regnamespace('routing')
UNION ALL SELECT 'function', oid::regprocedure::text FROM pg_proc WHERE pronamespace = to_regnamespace('routing')
UNION ALL SELECT 'type', typname::text FROM pg_type WHERE typnamespace = to_regnamespace('routing')
UNION ALL SELECT 'trigger', tgname::text FROM pg_trigger WHERE tgname LIKE 'routing%'
UNION ALL SELECT 'extension', extname::text FROM pg_extension WHERE extname = 'routing'
UNION ALL SELECT 'dependency', pg_describe_object(classid, objid, objsubid) FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.oid = refobjid));

sub fails_like
{
	my ($database, $sql, $pattern, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($status, $stdout, $stderr) = $node->psql($database, $sql);

	isnt($status, 0, $title);
	like($stderr, $pattern, "$title, and says why");
	unlike($stderr, qr/cache lookup failed|XX000|could not open relation with OID|server closed/, "$title, not by an internal error");
	return;
}

# A bound order is routed and answered; its document number is the argument.
sub bound_is_routed
{
	my ($database, $doc, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	$node->safe_psql($database, "BEGIN;\n" . bound_order_sql($doc, ['E1', 1], ['I1', 1]) . 'COMMIT;');
	return is($node->safe_psql($database, "SELECT st FROM erp.head WHERE doc = $doc"), 'allocated', $title);
}

load_network($node, $db, 2, 50);
bind_erp($node, $db);
route($node, $db, 'S1', ['I1', 1]);
bound_is_routed($db, 1, 'a bound order is routed');

# a session that stays, with plans and caches of the first installation
my $session = $node->background_psql($db, on_error_stop => 0);
$session->query_safe('SET client_min_messages = warning');
$session->query_safe("BEGIN;\n" . order_sql('S2', ['I1', 1]) . "COMMIT;\n");
$session->query_safe("BEGIN;\n" . bound_order_sql(2, ['E1', 1]) . "COMMIT;\n");
$session->query_safe(q(SELECT routing.atp('I1', 'N1'); SELECT * FROM routing.explain('S2'); SELECT routing.cancel_order('S2');
PREPARE native (text) AS SELECT status FROM routing.sales_order WHERE order_id = $1;
EXECUTE native ('S1');));

# blocked while tables are bound
fails_like($db, 'DROP EXTENSION routing', qr/cannot drop extension routing because other objects depend on it/, 'bound tables stop DROP EXTENSION');
is_verified($node, $db, 'after the refusal');
bound_is_routed($db, 3, 'and bound orders are routed as before');

# in a transaction whose order waits for its settlement it cannot be dropped either
fails_like($db, "BEGIN;\n" . order_sql('S4', ['I1', 1]) . 'DROP EXTENSION routing CASCADE; COMMIT;',
	qr/because it has pending trigger events/, 'a new order stops DROP EXTENSION CASCADE');
is($node->safe_psql($db, q(SELECT count(*) FROM routing.sales_order WHERE order_id = 'S4')), '0', 'that transaction is rolled back');
is_verified($node, $db, 'after that refusal');

# clean after unbind_all
is($node->safe_psql($db, 'SELECT routing.unbind_all()'), '2', 'unbind_all() counts the bindings');
is($node->safe_psql($db, q(SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN ('erp.head'::regclass, 'erp.pos'::regclass, 'erp.stock'::regclass))),
	'0', 'the bound tables have no triggers any more');
is_verified($node, $db, 'after unbind_all()');
$node->safe_psql($db, 'DROP EXTENSION routing');
is($node->safe_psql($db, $remains), '', 'DROP EXTENSION leaves nothing');
is($node->safe_psql($db, 'SELECT count(*), count(st) FROM erp.head'), '3|3', 'the ERP has its orders and their answers');
$node->safe_psql($db, "BEGIN;\n" . bound_order_sql(5, ['E1', 1]) . 'COMMIT;');
is($node->safe_psql($db, 'SELECT st IS NULL FROM erp.head WHERE doc = 5'), 't', 'and can write on');

# the session of before meets a clear error, and then the second installation
my ($out, $failed) = $session->query("BEGIN;\n" . order_sql('S3', ['I1', 1]) . "COMMIT;\n");
like($session->{stderr}, qr/relation "routing.sales_order" does not exist/, 'an old session meets a clear error');
$session->{stderr} = '';
$session->query_safe("BEGIN;\n" . bound_order_sql(6, ['E1', 1]) . "COMMIT;\n");

sub install_again
{
	$node->safe_psql($db, 'DROP SCHEMA erp CASCADE; DROP SEQUENCE public.order_seq');
	load_network($node, $db, 2, 50);
	bind_erp($node, $db);
	return;
}

install_again();
is($session->query_safe("BEGIN;\n" . order_sql('S1', ['I2', 3]) . "COMMIT;\nEXECUTE native ('S1');"), 'allocated', 'an old session has its orders routed');
is($session->query_safe("BEGIN;\n" . bound_order_sql(1, ['E2', 3]) . "COMMIT;\nSELECT st FROM erp.head WHERE doc = 1"), 'allocated', 'bound ones too');
is($session->query_safe("SELECT routing.atp('I2', 'N1')"), '47', 'and reads what is available now');
is($session->query_safe("SELECT routing.cancel_order('S1')"), 't', 'and cancels');
is($session->query_safe("SELECT count(*) > 0 FROM routing.explain('S1')"), 't', 'and gets its explanation');
is($node->safe_psql($db, 'SELECT min(decision_id) FROM routing.decision'), '1', 'the second installation starts afresh');
is_sound($node, $db, 'in the second installation');

# CASCADE takes the triggers along, even when they have noted a change; open
# sessions go on
$session->query("BEGIN;\n" . bound_order_sql(9, ['E1', 1]) . "DROP EXTENSION routing CASCADE;\nCOMMIT;");
unlike($session->{stderr}, qr/ERROR|WARNING|server closed/, 'a transaction that changed bound tables can drop the extension');
$session->{stderr} = '';
is($node->safe_psql($db, 'SELECT st IS NULL FROM erp.head WHERE doc = 9'), 't', 'and its order is kept, without an answer');
is($node->safe_psql($db, $remains), '', 'DROP EXTENSION CASCADE leaves nothing');
$session->query_safe("BEGIN;\n" . bound_order_sql(7, ['E1', 1]) . "UPDATE erp.stock SET qty = qty - 1; DELETE FROM erp.pos WHERE doc = 1; COMMIT;\n");
$node->safe_psql($db, "BEGIN;\n" . bound_order_sql(8, ['E1', 1]) . 'COMMIT; TRUNCATE erp.pos; DELETE FROM erp.head');
is($node->safe_psql($db, 'SELECT count(*) FROM erp.head'), '0', 'the ERP inserts, updates, deletes and truncates as it likes');

# dropped and created by the old session itself, in one transaction
$session->query_safe('CREATE EXTENSION routing; SELECT count(*) FROM routing.verify()');
$session->query_safe('BEGIN; DROP EXTENSION routing; CREATE EXTENSION routing; COMMIT;');
install_again();
is($session->query_safe("BEGIN;\n" . order_sql('S1', ['I1', 3]) . "COMMIT;\nEXECUTE native ('S1');"), 'allocated', 'the session that did it has its orders routed');
is($session->query_safe('BEGIN; DROP EXTENSION routing CASCADE; ROLLBACK; SELECT count(*) FROM routing.sales_order'), '1', 'a rolled-back DROP EXTENSION leaves all');
is($session->query_safe("BEGIN;\n" . bound_order_sql(1, ['E2', 3]) . "COMMIT;\nSELECT st FROM erp.head WHERE doc = 1"), 'allocated', 'and the bindings at work');
is($session->{stderr} =~ /ERROR|FATAL/ ? $session->{stderr} : '', '', 'the old session met no error');
is_sound($node, $db, 'in the third installation');

# another database, which never had a schema of this name
$node->safe_psql('postgres', 'CREATE DATABASE second');
load_network($node, 'second', 2, 50);
bind_erp($node, 'second');
is(route($node, 'second', 'S1', ['I1', 2]), 'allocated', 'in a second database orders are routed');
bound_is_routed('second', 1, 'bound ones too');
is_sound($node, 'second', 'in the second database');

my $visitor = $node->background_psql('second');
$visitor->query_safe("BEGIN;\n" . order_sql('S2', ['I1', 1]) . "COMMIT;\n");
my $visitor_pid = $visitor->query_safe('SELECT pg_backend_pid()');
fails_like('postgres', 'DROP DATABASE second', qr/is being accessed by other users/, 'a session in it stops DROP DATABASE');
is_verified($node, 'second', 'after that');
$visitor->quit;
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $visitor_pid");
# the old session is idle in another database and must not stand in the way
$node->safe_psql('postgres', 'DROP DATABASE second');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_database WHERE datname = 'second')), '0', 'DROP DATABASE is clean once it is gone');
is($session->query_safe("SELECT routing.atp('I1', 'N1')"), '47', 'the sessions of other databases go on');
$session->quit;

# a schema in which others may create objects is refused, an empty one of one's own is not
$node->safe_psql('postgres', 'CREATE DATABASE third');
$node->safe_psql('third', 'CREATE SCHEMA routing; GRANT CREATE ON SCHEMA routing TO PUBLIC');
fails_like('third', 'CREATE EXTENSION routing', qr/schema "routing" exists and other roles may create objects in it/, 'a schema open to others is refused');
$node->safe_psql('third', 'REVOKE CREATE ON SCHEMA routing FROM PUBLIC');
load_network($node, 'third', 1, 10);
is(route($node, 'third', 'S1', ['I1', 2]), 'allocated', 'an empty schema of the same owner is used');
is_sound($node, 'third', 'in the third database');
is_verified($node, $db, 'at the end');

$node->stop;
done_testing();
