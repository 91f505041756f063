# Runs RPostgreSQL against one server and prints what it gave: Rscript driver.R HOST PORT USER PASSWORD DATABASE
suppressPackageStartupMessages(library(RPostgreSQL))
arguments <- commandArgs(trailingOnly = TRUE)
connection <- dbConnect(PostgreSQL(), host = arguments[1], port = as.integer(arguments[2]), user = arguments[3],
                        password = arguments[4], dbname = arguments[5])
section <- function(name, ...) { cat("== ", name, "\n", sep = ""); for (part in list(...)) print(part) }

customers <- dbGetQuery(connection, "SELECT * FROM sales.customers ORDER BY id")
section("rows", head(customers, 12), sapply(customers, function(column) class(column)[1]), nrow(customers))
one <- dbGetQuery(connection, "SELECT id, name FROM sales.customers WHERE id > $1 AND name LIKE $2 ORDER BY id",
                  c(280, "name%"))
section("parameters", one)
result <- dbSendQuery(connection, "SELECT n, label FROM numbers WHERE n >= 5 ORDER BY n")
described <- dbColumnInfo(result)[, c("name", "Sclass", "type", "len", "precision", "scale")]
section("cursors", fetch(result, n = 3), fetch(result, n = 2), dbHasCompleted(result), described)
invisible(dbClearResult(result))
dbBegin(connection)
before <- dbGetQuery(connection, "SELECT count(*) AS n FROM sales.orders")
dbRollback(connection)
section("transactions", before)
failed <- tryCatch(suppressWarnings(dbGetQuery(connection, "SELECT * FROM absent")), error = function(e) "error")
section("errors", failed, strsplit(dbGetException(connection)$errorMsg, "\n")[[1]][1])
section("metadata", sort(dbListTables(connection)), dbExistsTable(connection, "numbers"),
        dbExistsTable(connection, c("sales", "customers")), dbListFields(connection, c("sales", "orders")))
section("bulk", dim(dbReadTable(connection, c("sales", "orders"))), nrow(dbReadTable(connection, "numbers")))
invisible(dbDisconnect(connection))
