#!/usr/bin/perl
# Runs the statements with DBD::mysql over libmariadb, prepared ones by the server.
use strict;
use warnings;
use DBI;
use Digest::SHA qw(sha1_hex);

$| = 1;

sub say_ { print join(' ', @_), "\n" }

sub show {
	my ($v) = @_;
	return 'null' unless defined $v;
	utf8::encode($v) if utf8::is_utf8($v);
	return length($v) . ':' . sha1_hex($v) if length($v) > 300;
	$v =~ s/([^!-~]|\\)/sprintf '\\x%02x', ord $1/ge;
	return "'$v'";
}

my $dsn = "DBI:mysql:database=$ENV{DB};host=$ENV{HOST};port=$ENV{PORT};mysql_local_infile=1;mysql_multi_statements=1";
$dsn .= ';mysql_ssl=1;mysql_ssl_optional=1' if $ENV{TLS};
$dsn .= ';mysql_compression=1' if $ENV{COMPRESS};
my $c = DBI->connect($dsn, $ENV{DBUSER}, $ENV{PASSWORD}, { PrintError => 0, RaiseError => 0, mysql_enable_utf8mb4 => 1 });
if (!$c) {
	say_(0, 'cannot connect', $DBI::err, $DBI::errstr);
	exit 1;
}
say_(0, 'server', $c->{mysql_serverinfo});

sub failed { my ($n, $h) = @_; say_($n, 'error', $h->err, $h->state, show($h->errstr)) }

sub results {
	my ($n, $s) = @_;
	do {
		if ($s->{NUM_OF_FIELDS}) {
			no warnings 'uninitialized';
			say_($n, 'columns', map {
				my $i = $_;
				join '/', show($s->{NAME}[$i]), map { $s->{$_}[$i] } qw(TYPE PRECISION SCALE NULLABLE mysql_table mysql_type mysql_length mysql_is_blob mysql_is_key mysql_is_num mysql_is_pri_key mysql_is_auto_increment)
			} 0 .. $s->{NUM_OF_FIELDS} - 1);
			while (my $row = $s->fetchrow_arrayref) {
				say_($n, 'row', map { show($_) } @$row);
			}
		}
		if ($s->err) {
			failed($n, $s);
		} else {
			say_($n, 'done', $s->rows, $s->{mysql_insertid} // '', $s->{mysql_warning_count} // '', show($c->{mysql_info}));
		}
	} while ($s->more_results);
	failed($n, $s) if $s->err;
}

sub run {
	my ($n, $sql, $attributes, @list) = @_;
	my $s = $c->prepare($sql, $attributes) or return failed($n, $c);
	for my $params (@list) {
		my $i = 0;
		for (@$params) {
			$s->bind_param(++$i, $_->[1], $_->[0]);
		}
		$s->execute ? results($n, $s) : failed($n, $s);
	}
	$s->finish;
}

sub parameter {
	my ($kind, $text) = $_[0] =~ /^(.):?(.*)$/;
	$text =~ s/%([0-9A-F]{2})/chr hex $1/gei;
	return [DBI::SQL_BIGINT, $text] if $kind eq 'i';
	return [DBI::SQL_DOUBLE, $text] if $kind eq 'd';
	return [DBI::SQL_BLOB, pack('H*', $text)] if $kind eq 'b';
	return [DBI::SQL_VARCHAR, undef] if $kind eq 'n';
	utf8::decode($text);
	return [DBI::SQL_VARCHAR, $text];
}

open my $file, '<:encoding(UTF-8)', $ENV{STATEMENTS} or die $!;
my @lines = <$file>;
chomp @lines;
for (my $i = 0; $i < @lines;) {
	my $line = $lines[$i++];
	my ($n, @list) = ($i);
	while ($i < @lines && $lines[$i] =~ /^with( |$)/) {
		my (undef, @words) = split / /, $lines[$i++];
		push @list, [map { parameter($_) } @words];
	}
	next if $line eq '' || $line =~ /^#/;
	my ($command, $text) = split / /, $line, 2;
	next if $command eq 'big' && !$ENV{BIG};
	$text //= '';
	$text =~ s/%FILE%/$ENV{UPLOAD}/;
	$text =~ s/DATABASE/$ENV{DB}/;
	$text =~ s/%BIG%/'b' x (1 << 24)/e;
	if ($command eq 'query' || $command eq 'local' || $command eq 'big') {
		run($n, $text, { mysql_server_prepare => 0 }, []);
	} elsif ($command eq 'prepare' || $command eq 'batch') {
		run($n, $text, { mysql_server_prepare => 1 }, @list);
	} elsif ($command eq 'cursor') {
		run($n, $text, { mysql_server_prepare => 0, mysql_use_result => 1 }, @list);
	} elsif ($command eq 'use') {
		run($n, "use $text", {}, []);
	} elsif ($command eq 'ping') {
		say_($n, 'ping', $c->ping ? 1 : 0);
	} elsif ($command eq 'stat') {
		(my $stat = $c->{mysql_stat}) =~ s/[0-9.]+/N/g;
		say_($n, $stat);
	} else {
		say_($n, 'left out');
	}
}
$c->disconnect;
