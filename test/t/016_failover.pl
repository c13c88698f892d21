# A failover to an asynchronous standby takes back the last transactions, and
# their ids are given again.  A reader that has a token from before is given
# everything that is committed after the failover, and what it had from before
# again, as far back as the last mark; so is one that was in the middle of a
# window.  Registered consumers lose their position with the events.  A token of
# the new timeline waits on a standby that is not on it yet.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $db      = 'postgres';
my $primary = new_server('primary', allows_streaming => 1, conf => "synchronous_commit = local\nautovacuum = off\n");

load_network($primary, $db, 4, 1000);
$primary->safe_psql($db, q(SELECT routing.consumer_register('acks', 'now')));

# the ids of orders that a reader is given, in order, and the last token
sub read_all
{
	my ($node, $token) = @_;
	my %seen;

	while (1)
	{
		my @rows = map { [ split /\|/, $_, -1 ] } split /\n/,
			$node->safe_psql($db, "SELECT token, aggregateid, type FROM routing.event_since('$token', 3)");

		$token = $rows[0][0];
		last if $rows[0][1] eq '';
		$seen{ $_->[1] }++ foreach grep { $_->[2] =~ /^order\./ } @rows;
	}
	return ($token, join(' ', sort keys %seen), \%seen);
}

my ($start) = read_all($primary, 'now');
route($primary, $db, "old-$_", [ "I$_", 1 ]) foreach 1 .. 2;
# at most one a minute is made
is($primary->safe_psql($db, q(UPDATE routing.stream_mark SET marked_at = marked_at - interval '2 minutes'; SELECT routing.mark_stream())), 't', 'a mark');
route($primary, $db, "marked-$_", [ "I$_", 1 ]) foreach 1 .. 2;

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
my $late = PostgreSQL::Test::Cluster->new('late');
$late->init_from_backup($primary, 'base', has_streaming => 1);
$late->start;
$primary->wait_for_catchup($_) foreach $standby, $late;

my ($both, $orders) = read_all($primary, $start);
is($orders, 'marked-1 marked-2 old-1 old-2', 'read on the primary');
is((read_all($standby, $both))[1], '', 'and the token goes on at the standby, where there is no more');

# what the standby never gets: many orders, read, acknowledged, half a window
$_->stop foreach $standby, $late;
route($primary, $db, "lost-$_", [ 'I1', 1 ]) foreach 1 .. 8;
my ($far) = read_all($primary, $both);
my $half = $primary->safe_psql($db, qq(SELECT max(token) FROM routing.event_since('$both', 3)));
isnt($half, $far, 'one reader is in the middle of a window');
$primary->safe_psql($db, q(SELECT routing.consumer_ack('acks', max(batch_id)) FROM routing.consumer_next('acks', 1000)));
my $lost = $primary->safe_psql($db, 'SELECT pg_snapshot_xmax(pg_current_snapshot())');
$primary->stop('immediate');

$standby->start;
$standby->promote;

cmp_ok($standby->safe_psql($db, 'SELECT pg_current_xact_id()'), '<', $lost, 'transaction ids are given again');
route($standby, $db, "new-$_", [ 'I2', 1 ]) foreach 1 .. 12;
cmp_ok($standby->safe_psql($db, 'SELECT pg_snapshot_xmax(pg_current_snapshot())'), '>', $lost, 'and are past those that were lost');

my $new = join(' ', sort map { "new-$_" } 1 .. 12);
my $n   = 0;
foreach my $reader ([ 'at the end', $far ], [ 'in the middle of a window', $half ])
{
	my ($token, $given, $times) = read_all($standby, $reader->[1]);

	$given =~ s/^after-1 // if $n;
	is($given, "marked-1 marked-2 $new", "a token from $reader->[0]: all since the last mark, nothing older");
	is((grep { $times->{$_} != 2 } keys %$times), 0, 'each event once');
	is((read_all($standby, $token))[1], '', 'and from there on nothing twice');
	$n++;
	route($standby, $db, "after-$n", ['I3', 1]);
	is((read_all($standby, $token))[1], "after-$n", 'but what is new');
}
# a place before the mark stays where it was, without a mark all is read again
is((read_all($standby, $start))[1] =~ /\bold-1\b.*\bold-2\b/, 1, 'a token from before the mark');
$standby->safe_psql($db, 'DELETE FROM routing.stream_mark');
like((read_all($standby, $far))[1], qr/\bnew-1\b.*\bold-1 old-2\b/, 'without a mark: all that is there');
my ($next) = read_all($standby, 'now');

is($standby->safe_psql($db, q(SELECT count(DISTINCT aggregateid) FROM routing.consumer_next('acks', 1000) WHERE aggregateid ~ '^(marked|new|after|old)-')), '18',
	'a registered consumer gets all that it has not acknowledged here');

# a standby that has not followed yet
$late->start;
is((read_all($late, $next))[0], $next, 'a token of a timeline that a standby is not on yet stays as it is');
like($late->safe_psql($db, "SELECT token FROM routing.event_since('now')"), qr/^1\@1\//, 'that one gives tokens of its own timeline');
is_sound($standby, $db, 'after the failover');
done_testing();
