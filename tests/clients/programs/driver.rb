# Runs ruby-pg against one server and prints what it gave: ruby driver.rb HOST PORT USER PASSWORD DATABASE
require "pg"
require "json"

host, port, user, password, database = ARGV
connection = PG.connect(host: host, port: port, user: user, password: password, dbname: database)
found = {}

def state
  yield
  "no error"
rescue PG::Error => error
  error.result.error_field(PG::Result::PG_DIAG_SQLSTATE)
end

def described(result)
  result.fields.each_index.map { |i| [result.fname(i), result.ftype(i), result.fmod(i), result.fsize(i)] }
end

typed = connection.exec("SELECT #{ENV.fetch('TYPED')}")
found[:rows] = [typed.values, described(typed)]

customers = "SELECT id, name, email, joined, active, seen FROM sales.customers WHERE id > $1 ORDER BY id"
found[:parameters] = [
  connection.exec_params(customers, [280]).values,
  connection.exec_params("SELECT id, amount FROM sales.orders WHERE id = ANY($1) AND amount > $2 ORDER BY id",
                         ["{100,200,1999}", "1.5"]).values
]
connection.type_map_for_results = PG::BasicTypeMapForResults.new(connection)
found[:decoded] = connection.exec("SELECT * FROM sales.customers WHERE id < 20 ORDER BY id").values.map(&:inspect)
connection.type_map_for_results = PG::TypeMapAllStrings.new

connection.prepare("customers", customers)
prepared = connection.describe_prepared("customers")
found[:prepared] = [290, 295].map { |low| connection.exec_prepared("customers", [low]).values }
found[:prepared] << described(prepared) << prepared.paramtype(0)

failed = refused = nil
connection.exec("BEGIN")
failed = state { connection.exec("SELECT 1 / 0") }
refused = state { connection.exec("SELECT 1") }
connection.exec("ROLLBACK")
found[:transactions] = [failed, refused, connection.transaction { |c| c.exec("SELECT count(*) FROM sales.orders").values }]

connection.send_query("SELECT n, label FROM numbers WHERE n >= 5 ORDER BY n")
connection.set_single_row_mode
single = connection.get_result.stream_each_row.first(3)
rest = 0
while (result = connection.get_result)
  rest += result.ntuples
end
connection.exec("BEGIN")
connection.exec("DECLARE c SCROLL CURSOR FOR SELECT n FROM numbers ORDER BY n")
moved = ["FETCH 3 FROM c", "MOVE 100 FROM c", "FETCH BACKWARD 2 FROM c"].map { |sql| connection.exec(sql).values }
connection.exec("COMMIT")
found[:cursors] = [single, rest, moved]

statements = ["SELECT * FROM absent", "SELECT nope FROM sales.orders", "SELEC 1", "SELECT 1 / 0", "SELECT 'x'::int"]
found[:errors] = statements.flat_map { |sql| [state { connection.exec(sql) }, state { connection.exec_params(sql, []) }] }

tables = connection.exec("SELECT * FROM sales.customers LIMIT 1")
found[:metadata] = [
  connection.server_version, connection.parameter_status("server_encoding"), connection.conninfo_hash[:dbname],
  described(tables)
]
found[:origins] = tables.fields.each_index.map { |i| [tables.ftable(i).positive?, tables.ftablecol(i)] }

copied = 0
connection.copy_data("COPY numbers TO STDOUT") { copied += 1 while connection.get_copy_data }
found[:bulk] = copied
puts JSON.generate(found)
