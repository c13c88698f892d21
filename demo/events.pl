#!/usr/bin/env perl
# Reads what pg_recvlogical wrote from a slot with the plugin pgoutput (protocol
# version 1) and shows how many events of each type came, and the last three.
#
# Every message is followed by one newline.  R describes a table, I is an
# inserted row with its columns as text; transactions begin with B, end with C.
use strict;
use warnings;

binmode STDOUT, ':utf8';
open my $in, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
my $data = do { local $/; <$in> } // '';
my $pos  = 0;

sub take { my $n = shift; my $s = substr($data, $pos, $n); $pos += $n; return $s }
sub int16 { return unpack 'n', take(2) }
sub int32 { return unpack 'N', take(4) }

sub text
{
	my $end = index($data, "\0", $pos);
	my $s = substr($data, $pos, $end - $pos);
	$pos = $end + 1;
	return $s;
}

my (%columns, %count, @last, $transactions);
while ($pos < length $data)
{
	my $kind = take(1);
	if ($kind eq 'B') { take(20) }
	elsif ($kind eq 'C') { take(25); $transactions++ }
	elsif ($kind eq 'O') { take(8); text() }
	elsif ($kind eq 'Y') { take(4); text(); text() }
	elsif ($kind eq 'R')
	{
		my $id = int32();
		text();
		text();
		take(1);
		my @names;
		for (1 .. int16()) { take(1); push @names, text(); take(8) }
		$columns{$id} = \@names;
	}
	elsif ($kind eq 'I')
	{
		my $id = int32();
		take(1);
		my %row;
		my $n = int16();
		for my $i (0 .. $n - 1)
		{
			my $form = take(1);
			if ($form eq 't')
			{
				my $value = take(int32());
				utf8::decode($value);
				$row{ $columns{$id}[$i] } = $value;
			}
		}
		$count{ $row{type} }++;
		push @last, \%row;
		shift @last if @last > 3;
	}
	else { die "unexpected message $kind at byte " . ($pos - 1) . "\n" }
	die "message $kind does not end where it should\n" if take(1) ne "\n";
}

printf "%d transactions carried %s\n", $transactions // 0,
  join ', ', map { "$count{$_} $_" } sort keys %count;
for my $e (@last)
{
	my $payload = $e->{payload};
	$payload = substr($payload, 0, 130) . ' ...' if length $payload > 134;
	printf "  %s  %s %s  version %d  %s\n    %s\n", $e->{event_ts}, $e->{aggregatetype}, $e->{aggregateid},
	  $e->{aggregateversion}, $e->{type}, $payload;
}
