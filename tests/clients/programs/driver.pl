#!/usr/bin/perl
# Runs DBD::Pg against one server and prints what it gave: perl driver.pl HOST PORT USER PASSWORD DATABASE
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:pg_types);
use JSON::PP;

my ($host, $port, $user, $password, $database) = @ARGV;
my $typed = $ENV{TYPED};
my $dbh = DBI->connect("dbi:Pg:dbname=$database;host=$host;port=$port", $user, $password,
    { AutoCommit => 1, RaiseError => 1, PrintError => 0, PrintWarn => 0 });
my %found;

sub state_of {
    my $code = shift;
    my $done = eval { $code->(); 1 };
    return $done ? "no error" : $dbh->state;
}

# Rows of a metadata handle: the columns named, as text.
sub listed {
    my ($sth, @names) = @_;
    my @rows;
    while (my $row = $sth->fetchrow_hashref) { push @rows, [map { defined $row->{$_} ? "$row->{$_}" : undef } @names] }
    return \@rows;
}

{
    my $sth = $dbh->prepare("SELECT $typed");
    $sth->execute;
    my $described = [map { [$sth->{NAME}[$_], $sth->{pg_type}[$_], $sth->{TYPE}[$_]] } 0 .. $#{ $sth->{NAME} }];
    my @text = map { defined $_ && !ref $_ ? "$_" : $_ } @{ $sth->fetchrow_arrayref };
    $found{rows} = [\@text, $described];
}
{
    my $sql = "SELECT id, name, email, joined, active FROM sales.customers WHERE id > ? AND name LIKE ? ORDER BY id";
    my $orders = $dbh->prepare("SELECT id, amount FROM sales.orders WHERE id = ANY(?) AND amount > ? ORDER BY id");
    $orders->execute([100, 200, 1999], "1.5");
    $found{parameters} = [$dbh->selectall_arrayref($sql, undef, 280, 'name%'), $orders->fetchall_arrayref];
}
{
    my $sth = $dbh->prepare("SELECT id, name FROM sales.customers WHERE id > ? ORDER BY id");
    my @runs;
    for my $low (290, 295, 298) { $sth->execute($low); push @runs, $sth->fetchall_arrayref, $sth->rows }
    $found{prepared} = \@runs;
}
{
    $dbh->begin_work;
    my $before = $dbh->selectrow_array("SELECT count(*) FROM sales.orders");
    $dbh->pg_savepoint("here");
    my $failed = state_of(sub { $dbh->do("SELECT 1 / 0") });
    my $refused = state_of(sub { $dbh->do("SELECT 1") });
    $dbh->pg_rollback_to("here");
    my $after = $dbh->selectrow_array("SELECT count(*) FROM sales.orders");
    $dbh->commit;
    $found{transactions} = [$before, $failed, $refused, $after, $dbh->ping];
}
{
    $dbh->begin_work;
    $dbh->do("DECLARE c CURSOR FOR SELECT n, label FROM numbers WHERE n >= 5 ORDER BY n");
    $found{cursors} = [map { $dbh->selectall_arrayref("FETCH 3 FROM c") } 1 .. 2];
    $dbh->commit;
}
$found{errors} = [
    map { my $sql = $_; state_of(sub { $dbh->selectall_arrayref($sql) }) }
        "SELECT * FROM absent", "SELECT nope FROM sales.orders", "SELEC 1", "SELECT 1 / 0", "SELECT 'x'::int"
];
{
    my @column = qw(TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE TYPE_NAME COLUMN_SIZE DECIMAL_DIGITS NULLABLE REMARKS
        COLUMN_DEF ORDINAL_POSITION IS_NULLABLE pg_type pg_constraint pg_column pg_enum_values);
    my $described = $dbh->prepare("SELECT id, name, region FROM sales.customers");
    $described->execute;
    $found{metadata} = [
        [grep { /^(sales|public)\./ } $dbh->tables(undef, "%", "%", "TABLE,VIEW")],
        listed($dbh->table_info(undef, "sales", "%", "TABLE"), qw(TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS)),
        [grep { $_->[0] !~ /^(pgproxy|pg_(toast_)?temp_\d+)$/ } @{ listed($dbh->table_info("", "%", ""), qw(TABLE_SCHEM)) }],
        listed($dbh->column_info(undef, "sales", "customers", "%"), @column),
        listed($dbh->primary_key_info(undef, "sales", "customers"), qw(TABLE_NAME COLUMN_NAME KEY_SEQ PK_NAME)),
        [$dbh->primary_key(undef, "sales", "orders")],
        listed($dbh->statistics_info(undef, "sales", "orders", 0, 0),
            qw(TABLE_NAME NON_UNIQUE INDEX_NAME TYPE ORDINAL_POSITION COLUMN_NAME)),
        $dbh->{pg_server_version},
        $dbh->get_info(17),
    ];
    $found{origins} = [@{ $described->{NULLABLE} }];
}
print JSON::PP->new->utf8->canonical->allow_nonref->encode(\%found);
$dbh->disconnect;
