<?php
// Runs PHP's PDO and pgsql extensions against one server and prints what they gave.
// php driver.php HOST PORT USER PASSWORD DATABASE
[, $host, $port, $user, $password, $database] = $argv;
$typed = getenv("TYPED");
$pdo = new PDO("pgsql:host=$host;port=$port;dbname=$database", $user, $password, [
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM,
]);

function state(callable $work): string
{
    try {
        $work();
    } catch (PDOException $error) {
        return $error->getCode();
    }
    return "no error";
}

$plain = fn($value) => is_resource($value) ? bin2hex(stream_get_contents($value)) : $value;
$rows = $pdo->query("SELECT $typed");
$described = array_map(function ($place) use ($rows) {
    $meta = $rows->getColumnMeta($place);
    return [$meta["name"], $meta["native_type"], $meta["pdo_type"], $meta["pgsql:oid"], $meta["len"], $meta["precision"]];
}, range(0, $rows->columnCount() - 1));
$found["rows"] = [array_map($plain, $rows->fetch()), $described];

$found["parameters"] = [];
foreach ([false, true] as $emulated) {
    $statement = $pdo->prepare(
        "SELECT id, name, email, joined, active, seen FROM sales.customers WHERE id > :low AND name LIKE :name ORDER BY id",
        [PDO::ATTR_EMULATE_PREPARES => $emulated],
    );
    $statement->bindValue("low", 280, PDO::PARAM_INT);
    $statement->bindValue("name", "name%");
    $statement->execute();
    $found["parameters"][] = $statement->fetchAll();
}

$statement = $pdo->prepare("SELECT id, name FROM sales.customers WHERE id > ? AND active = ? ORDER BY id");
foreach ([290, 295] as $low) {
    $statement->bindValue(1, $low, PDO::PARAM_INT);
    $statement->bindValue(2, true, PDO::PARAM_BOOL);
    $statement->execute();
    $found["prepared"][] = $statement->fetchAll();
}

$pdo->beginTransaction();
$failed = state(fn() => $pdo->query("SELECT 1 / 0"));
$refused = state(fn() => $pdo->query("SELECT 1"));
$pdo->rollBack();
$found["transactions"] = [$failed, $refused, $pdo->query("SELECT count(*) FROM sales.orders")->fetchAll()];

$pdo->beginTransaction();
$cursor = $pdo->prepare("SELECT n, label FROM numbers WHERE n >= 5 ORDER BY n", [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
$cursor->execute();
$found["cursors"] = [$cursor->fetch(), $cursor->fetch(), $cursor->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 10)];
$cursor = null;
$pdo->commit();

foreach (["SELECT * FROM absent", "SELECT nope FROM sales.orders", "SELEC 1", "SELECT 1 / 0", "SELECT 'x'::int"] as $sql) {
    $found["errors"][] = state(fn() => $pdo->query($sql));
}

$pg = pg_connect("host=$host port=$port dbname=$database user=$user password=$password");
$result = pg_query_params($pg, 'SELECT id, amount, placed FROM sales.orders WHERE id < $1 ORDER BY id', [4]);
$fields = array_map(
    fn($place) => [pg_field_name($result, $place), pg_field_type($result, $place), pg_field_size($result, $place)],
    range(0, 2),
);
$tables = array_map(
    fn($place) => $pdo->query("SELECT * FROM sales.customers")->getColumnMeta($place)["table"] ?? null,
    range(0, 1),
);
$found["metadata"] = [
    pg_fetch_all($result), $fields, pg_meta_data($pg, "sales.customers"), pg_meta_data($pg, "sales.orders", true),
    explode(" ", $pdo->getAttribute(PDO::ATTR_SERVER_VERSION))[0], pg_version($pg)["client_encoding"] ?? pg_client_encoding($pg),
];
$found["origins"] = $tables;
$found["bulk"] = [count(pg_copy_to($pg, "numbers")), $pdo->pgsqlCopyToArray("numbers", "|")[10]];
echo json_encode($found);
