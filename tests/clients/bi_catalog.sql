-- What business-intelligence tools and SQL editors ask of the catalog, written anew from their documented behaviour.
-- One query follows each `-- name:`; `@shop@` stands for the OID of a schema, `@shop.orders@` for a relation's, as the
-- tools put in the numbers that they found. `-- shape:` names a query of which only names and types are compared.

-- name: metabase tables
SELECT space.nspname AS schema, rel.relname AS name,
       CASE rel.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW'
            WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS type,
       note.description AS description, stat.relname IS NOT NULL AS has_statistics
FROM pg_catalog.pg_class AS rel
INNER JOIN pg_catalog.pg_namespace AS space ON rel.relnamespace = space.oid
LEFT JOIN pg_catalog.pg_description AS note
       ON rel.oid = note.objoid AND note.objsubid = 0 AND note.classoid = 'pg_class'::regclass
LEFT JOIN pg_stat_user_tables AS stat ON space.nspname = stat.schemaname AND rel.relname = stat.relname
WHERE rel.relkind IN ('r', 'p', 'v', 'f', 'm') AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
      AND space.nspname IN ('shop')
ORDER BY type, schema, name

-- name: metabase fields
SELECT c.column_name AS name,
       CASE WHEN c.udt_schema IN ('public', 'pg_catalog') THEN format('%s', c.udt_name)
            ELSE format('"%s"."%s"', c.udt_schema, c.udt_name) END AS database_type,
       c.ordinal_position - 1 AS database_position, c.table_schema, c.table_name,
       key.column_name IS NOT NULL AS is_key,
       col_description(CAST(CAST(format('%I.%I', CAST(c.table_schema AS TEXT), CAST(c.table_name AS TEXT)) AS regclass)
                            AS oid), CAST(c.ordinal_position AS integer)) AS field_comment,
       (c.column_default IS NULL OR lower(c.column_default) = 'null') AND c.is_nullable = 'NO'
           AND NOT ((c.column_default IS NOT NULL AND c.column_default LIKE '%nextval(%') OR c.is_identity <> 'NO')
           AS is_required,
       (c.column_default IS NOT NULL AND c.column_default LIKE '%nextval(%') OR c.is_identity <> 'NO' AS is_generated
FROM information_schema.columns AS c
LEFT JOIN (SELECT constr.table_schema, constr.table_name, used.column_name
           FROM information_schema.table_constraints AS constr
           INNER JOIN information_schema.key_column_usage AS used
                   ON constr.constraint_name = used.constraint_name AND constr.table_schema = used.table_schema
                      AND constr.table_name = used.table_name
           WHERE constr.constraint_type = 'PRIMARY KEY') AS key
       ON c.table_schema = key.table_schema AND c.table_name = key.table_name AND c.column_name = key.column_name
WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_schema IN ('shop')
ORDER BY c.table_schema, c.table_name, database_position

-- name: metabase foreign keys
SELECT here.nspname AS "fk-table-schema", child.relname AS "fk-table-name", fk.attname AS "fk-column-name",
       there.nspname AS "pk-table-schema", parent.relname AS "pk-table-name", pk.attname AS "pk-column-name"
FROM pg_constraint AS c
JOIN pg_class AS child ON c.conrelid = child.oid
JOIN pg_namespace AS here ON child.relnamespace = here.oid
JOIN pg_attribute AS fk ON c.conrelid = fk.attrelid
JOIN pg_class AS parent ON c.confrelid = parent.oid
JOIN pg_namespace AS there ON parent.relnamespace = there.oid
JOIN pg_attribute AS pk ON c.confrelid = pk.attrelid
WHERE here.nspname !~ '^information_schema|catalog_history|pg_' AND c.contype = 'f'::"char"
      AND fk.attnum = ANY(c.conkey) AND pk.attnum = ANY(c.confkey)
ORDER BY here.nspname, child.relname, fk.attname

-- name: metabase indexes
SELECT space.nspname AS "table-schema", tab.relname AS "table-name", att.attname AS "field-name"
FROM pg_index AS idx
JOIN pg_class AS own ON own.oid = idx.indexrelid
JOIN pg_class AS tab ON tab.oid = idx.indrelid
JOIN pg_namespace AS space ON space.oid = tab.relnamespace
JOIN pg_attribute AS att ON att.attrelid = tab.oid AND att.attnum = idx.indkey[0]
WHERE idx.indisvalid AND idx.indpred IS NULL AND idx.indkey[0] > 0 AND space.nspname = 'shop'
ORDER BY 1, 2, 3

-- name: metabase privileges
WITH held AS (
    SELECT NULL AS role, t.schemaname AS schema, t.objectname AS table,
           pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'update')
               AS update,
           pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'select')
               AS select,
           pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'insert')
               AS insert,
           pg_catalog.has_table_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'delete')
               AS delete
    FROM (SELECT schemaname, tablename AS objectname FROM pg_catalog.pg_tables
          UNION SELECT schemaname, viewname AS objectname FROM pg_views
          UNION SELECT schemaname, matviewname AS objectname FROM pg_matviews) AS t
    WHERE t.schemaname !~ '^pg' AND t.schemaname <> 'information_schema'
          AND pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage'))
SELECT held.* FROM held WHERE "select" OR "update" OR "insert" OR "delete" ORDER BY 2, 3

-- name: metabase enumerations
SELECT space.nspname AS schema, t.typname AS name FROM pg_type AS t
LEFT JOIN pg_namespace AS space ON space.oid = t.typnamespace
WHERE t.oid IN (SELECT DISTINCT e.enumtypid FROM pg_enum AS e)

-- name: metabase time zone
SHOW timezone

-- name: metabase chart by month
SELECT CAST(date_trunc('month', "source"."placed") AS date) AS "placed", "source"."region" AS "region",
       sum("source"."total") AS "sum", count(*) AS "count"
FROM (SELECT "shop"."orders"."placed" AS "placed", "shop"."orders"."total" AS "total", "Customers"."name" AS "region"
      FROM "shop"."orders"
      LEFT JOIN "shop"."customers" AS "Customers" ON "shop"."orders"."customer_id" = "Customers"."id") AS "source"
WHERE "source"."placed" >= timestamp with time zone '2020-01-01 00:00:00.000Z'
GROUP BY CAST(date_trunc('month', "source"."placed") AS date), "source"."region"
ORDER BY CAST(date_trunc('month', "source"."placed") AS date) ASC, "source"."region" ASC

-- name: metabase fingerprint
SELECT substring("shop"."customers"."name", 1, 1234) AS "substring", "shop"."customers"."id" AS "id"
FROM "shop"."customers" ORDER BY 2 LIMIT 10000

-- name: grafana version
SELECT current_setting('server_version_num')::int / 100 AS version

-- name: grafana timescale
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- name: grafana tables
SELECT CASE WHEN quote_ident(table_schema) IN (
                SELECT CASE WHEN trim(part[i]) = '"$user"' THEN user ELSE trim(part[i]) END
                FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
                                     array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i,
                     string_to_array(current_setting('search_path'), ',') AS part)
            THEN quote_ident(table_name)
            ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
FROM information_schema.tables
WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache')
      AND table_type IN ('BASE TABLE', 'VIEW') AND table_schema IN ('shop', 'public')
ORDER BY CASE WHEN quote_ident(table_schema) = 'public' THEN 0 ELSE 1 END, 1

-- name: grafana columns
SELECT quote_ident(column_name) AS "column", data_type AS "type"
FROM information_schema.columns
WHERE CASE WHEN array_length(parse_ident('shop.customers'), 1) = 2
           THEN quote_ident(table_schema) = (parse_ident('shop.customers'))[1]
                AND quote_ident(table_name) = (parse_ident('shop.customers'))[2]
           ELSE quote_ident(table_name) = 'shop.customers'
                AND quote_ident(table_schema) IN (
                    SELECT CASE WHEN trim(part[i]) = '"$user"' THEN user ELSE trim(part[i]) END
                    FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
                                         array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i,
                         string_to_array(current_setting('search_path'), ',') AS part) END
ORDER BY ordinal_position

-- name: grafana columns of a bare name
SELECT quote_ident(column_name) AS "column", data_type AS "type"
FROM information_schema.columns
WHERE CASE WHEN array_length(parse_ident('notes'), 1) = 2
           THEN quote_ident(table_schema) = (parse_ident('notes'))[1] AND quote_ident(table_name) = (parse_ident('notes'))[2]
           ELSE quote_ident(table_name) = 'notes' AND table_schema = ANY(current_schemas(false)) END
ORDER BY ordinal_position

-- name: grafana time column
SELECT quote_ident(column_name) FROM information_schema.columns
WHERE table_schema = 'shop' AND quote_ident(table_name) = 'orders'
      AND data_type IN ('timestamp without time zone', 'timestamp with time zone', 'bigint', 'integer',
                        'double precision', 'real')
ORDER BY ordinal_position LIMIT 1

-- name: grafana series
SELECT floor(extract(epoch FROM placed) / 300) * 300 AS "time", avg(total) AS "value"
FROM shop.orders WHERE placed BETWEEN '2023-12-31T23:00:00Z' AND '2024-02-01T00:00:00Z'
GROUP BY 1 ORDER BY 1

-- name: grafana annotations
SELECT extract(epoch FROM seen) AS "time", name AS "text", note AS "tags" FROM shop.customers WHERE id = 0

-- name: tableau probe
SELECT "COL" FROM (SELECT 1 AS "COL") AS "CheckTop" LIMIT 1

-- name: tableau tables
SELECT rel.relname, space.nspname, rel.relkind
FROM pg_catalog.pg_class AS rel, pg_catalog.pg_namespace AS space
WHERE rel.relkind IN ('r', 'v', 'm', 'f', 'p') AND space.oid = rel.relnamespace
      AND space.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') AND space.nspname = 'shop'
ORDER BY nspname, relname

-- name: tableau columns
SELECT space.nspname, rel.relname, att.attname, att.atttypid, t.typname, att.attnum, att.attlen, att.atttypmod,
       att.attnotnull, rel.relhasrules, rel.relkind, rel.oid, pg_get_expr(def.adbin, def.adrelid),
       CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE 0 END, t.typtypmod, false AS has_oids, att.attidentity
FROM ((pg_catalog.pg_class AS rel
       INNER JOIN pg_catalog.pg_namespace AS space
               ON space.oid = rel.relnamespace AND rel.relname LIKE 'customers' AND space.nspname LIKE 'shop')
      INNER JOIN pg_catalog.pg_attribute AS att ON NOT att.attisdropped AND att.attnum > 0 AND att.attrelid = rel.oid)
     INNER JOIN pg_catalog.pg_type AS t ON t.oid = att.atttypid
     LEFT OUTER JOIN pg_attrdef AS def ON att.atthasdef AND def.adrelid = att.attrelid AND def.adnum = att.attnum
ORDER BY space.nspname, rel.relname, att.attnum

-- name: tableau key columns
SELECT att.attname, att.attnum, own.relname, space.nspname, tab.relname
FROM pg_catalog.pg_attribute AS att, pg_catalog.pg_attribute AS part, pg_catalog.pg_class AS tab,
     pg_catalog.pg_namespace AS space, pg_catalog.pg_index AS i, pg_catalog.pg_class AS own
WHERE tab.relname = 'order_lines' AND space.nspname = 'shop' AND tab.oid = i.indrelid AND space.oid = tab.relnamespace
      AND i.indisprimary AND part.attrelid = i.indexrelid AND att.attrelid = i.indrelid
      AND att.attnum = i.indkey[part.attnum - 1] AND NOT part.attisdropped AND NOT att.attisdropped AND own.oid = i.indexrelid
ORDER BY part.attnum

-- name: tableau sheet
SELECT "customers"."name" AS "name", sum("orders"."total") AS "sum:total:ok",
       (CASE WHEN min("orders"."placed") IS NULL THEN NULL ELSE date_trunc('QUARTER', min("orders"."placed")) END) AS "q"
FROM "shop"."orders" "orders" INNER JOIN "shop"."customers" "customers" ON ("orders"."customer_id" = "customers"."id")
GROUP BY 1 HAVING (COUNT(1) > 0) ORDER BY 1

-- name: npgsql types
SELECT space.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.element_oid
FROM (SELECT base.oid, base.typnamespace, base.typname, base.typtype, base.typrelid, base.typnotnull, base.relkind,
             element.oid AS element_oid, element.typname AS element_name, element_class.relkind AS element_kind,
             CASE WHEN element_input.proname = 'array_recv' THEN 'a' ELSE element.typtype END AS element_type
      FROM (SELECT typ.oid, typ.typnamespace, typ.typname, typ.typrelid, typ.typnotnull, cls.relkind,
                   CASE WHEN input.proname = 'array_recv' THEN 'a' ELSE typ.typtype END AS typtype,
                   CASE WHEN input.proname = 'array_recv' THEN typ.typelem
                        WHEN typ.typtype = 'r' THEN pg_range.rngsubtype
                        WHEN typ.typtype = 'm' THEN (SELECT r.rngtypid FROM pg_range AS r WHERE r.rngmultitypid = typ.oid)
                        WHEN typ.typtype = 'd' THEN typ.typbasetype END AS held_oid
            FROM pg_type AS typ
            LEFT JOIN pg_class AS cls ON cls.oid = typ.typrelid
            LEFT JOIN pg_proc AS input ON input.oid = typ.typreceive
            LEFT JOIN pg_range ON pg_range.rngtypid = typ.oid) AS base
      LEFT JOIN pg_type AS element ON element.oid = base.held_oid
      LEFT JOIN pg_class AS element_class ON element_class.oid = element.typrelid
      LEFT JOIN pg_proc AS element_input ON element_input.oid = element.typreceive) AS t
JOIN pg_namespace AS space ON space.oid = t.typnamespace
WHERE space.nspname = 'pg_catalog'
      AND (t.typtype IN ('b', 'r', 'm', 'e', 'd') OR (t.typtype = 'c' AND t.relkind = 'c')
           OR (t.typtype = 'p' AND t.typname IN ('record', 'void'))
           OR (t.typtype = 'a' AND (t.element_type IN ('b', 'r', 'm', 'e', 'd')
                                    OR (t.element_type = 'p' AND t.element_name IN ('record', 'void'))
                                    OR (t.element_type = 'c' AND t.element_kind = 'c'))))
ORDER BY CASE WHEN t.typtype IN ('b', 'e', 'p') THEN 0 WHEN t.typtype = 'r' THEN 1 WHEN t.typtype = 'm' THEN 2
              WHEN t.typtype = 'c' THEN 3 WHEN t.typtype = 'd' AND t.element_type <> 'a' THEN 4
              WHEN t.typtype = 'a' THEN 5 WHEN t.typtype = 'd' AND t.element_type = 'a' THEN 6 END, t.oid

-- name: npgsql composite fields
SELECT typ.oid, att.attname, att.atttypid
FROM pg_type AS typ
JOIN pg_namespace AS space ON space.oid = typ.typnamespace
JOIN pg_class AS cls ON cls.oid = typ.typrelid
JOIN pg_attribute AS att ON att.attrelid = typ.typrelid
WHERE typ.typtype = 'c' AND cls.relkind = 'c' AND att.attnum > 0 AND NOT att.attisdropped
ORDER BY typ.oid, att.attnum

-- name: npgsql enumeration labels
SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY oid, enumsortorder

-- name: power bi tables
select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables
where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') and TABLE_SCHEMA in ('shop')
order by TABLE_SCHEMA, TABLE_NAME

-- name: power bi columns
select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE,
       case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' else DATA_TYPE end as DATA_TYPE
from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'shop' and TABLE_NAME = 'customers'
order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION

-- name: power bi keys
select i.CONSTRAINT_SCHEMA || '_' || i.CONSTRAINT_NAME as INDEX_NAME, ii.COLUMN_NAME, ii.ORDINAL_POSITION,
       case when i.CONSTRAINT_TYPE = 'PRIMARY KEY' then 'Y' else 'N' end as PRIMARY_KEY
from INFORMATION_SCHEMA.table_constraints i
inner join INFORMATION_SCHEMA.key_column_usage ii
        on i.CONSTRAINT_SCHEMA = ii.CONSTRAINT_SCHEMA and i.CONSTRAINT_NAME = ii.CONSTRAINT_NAME
           and i.TABLE_SCHEMA = ii.TABLE_SCHEMA and i.TABLE_NAME = ii.TABLE_NAME
where i.TABLE_SCHEMA = 'shop' and i.CONSTRAINT_TYPE in ('PRIMARY KEY', 'UNIQUE')
order by i.CONSTRAINT_SCHEMA || '_' || i.CONSTRAINT_NAME, ii.TABLE_SCHEMA, ii.TABLE_NAME, ii.ORDINAL_POSITION

-- name: power bi foreign keys
select pkcol.COLUMN_NAME as PK_COLUMN_NAME, fkcol.TABLE_SCHEMA as FK_TABLE_SCHEMA, fkcol.TABLE_NAME as FK_TABLE_NAME,
       fkcol.COLUMN_NAME as FK_COLUMN_NAME, fkcol.ORDINAL_POSITION as ORDINAL,
       fkcon.CONSTRAINT_SCHEMA || '_' || fkcol.TABLE_NAME || '_' || 'customers' || '_' || fkcon.CONSTRAINT_NAME as FK_NAME
from (select distinct constraint_catalog, constraint_schema, unique_constraint_schema, constraint_name,
             unique_constraint_name from INFORMATION_SCHEMA.referential_constraints) fkcon
inner join INFORMATION_SCHEMA.key_column_usage fkcol
        on fkcon.CONSTRAINT_SCHEMA = fkcol.CONSTRAINT_SCHEMA and fkcon.CONSTRAINT_NAME = fkcol.CONSTRAINT_NAME
inner join INFORMATION_SCHEMA.key_column_usage pkcol
        on fkcon.UNIQUE_CONSTRAINT_SCHEMA = pkcol.CONSTRAINT_SCHEMA
           and fkcon.UNIQUE_CONSTRAINT_NAME = pkcol.CONSTRAINT_NAME
where pkcol.TABLE_SCHEMA = 'shop' and pkcol.TABLE_NAME = 'customers' and pkcol.ORDINAL_POSITION = fkcol.ORDINAL_POSITION
order by FK_NAME, fkcol.ORDINAL_POSITION

-- name: power bi character set
select character_set_name from INFORMATION_SCHEMA.character_sets

-- name: power bi preview
select "_"."id", "_"."name", "_"."credit", "_"."is_active" from "shop"."customers" "_" order by 1 limit 4096

-- name: dbeaver database
SELECT db.oid, db.datname, db.encoding, db.datistemplate, db.datallowconn,
       pg_encoding_to_char(db.encoding) AS enc, has_database_privilege(db.oid, 'CONNECT') AS may_connect
FROM pg_catalog.pg_database AS db
WHERE datallowconn AND NOT datistemplate AND db.datname = current_database() ORDER BY db.datname

-- name: dbeaver session
SELECT current_schema(), session_user, current_database(), pg_catalog.pg_is_in_recovery()

-- name: dbeaver schemas
SELECT n.oid, n.nspname, d.description
FROM pg_catalog.pg_namespace AS n
LEFT OUTER JOIN pg_catalog.pg_description AS d
       ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass
WHERE n.nspname IN ('shop', 'pg_catalog', 'information_schema') ORDER BY nspname

-- name: dbeaver types
SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description
FROM pg_catalog.pg_type AS t
LEFT OUTER JOIN pg_catalog.pg_type AS et ON et.oid = t.typelem
LEFT OUTER JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
LEFT OUTER JOIN pg_catalog.pg_description AS d ON t.oid = d.objoid
WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c')
      AND (et.typcategory IS NULL OR et.typcategory <> 'C') AND t.typnamespace = 'pg_catalog'::regnamespace
ORDER BY t.oid, d.description

-- name: dbeaver tables
SELECT c.relname, c.relkind, c.relpersistence, c.relnatts, c.relhasindex, c.relispartition, d.description,
       pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr,
       pg_catalog.pg_get_partkeydef(c.oid) AS partition_key, c.reloptions, c.relchecks
FROM pg_catalog.pg_class AS c
LEFT OUTER JOIN pg_catalog.pg_description AS d
       ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
WHERE c.relnamespace = @shop@ AND c.relkind NOT IN ('i', 'I', 'c') ORDER BY c.relname

-- name: dbeaver columns
SELECT c.relname, a.attname, a.atttypid, a.attlen, a.attnum, a.attndims, a.atttypmod, a.attbyval, a.attalign, a.attstorage,
       a.attcompression, a.attnotnull, a.atthasdef, a.attidentity, a.attgenerated, a.attisdropped, a.attcollation,
       pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid
FROM pg_catalog.pg_attribute AS a
INNER JOIN pg_catalog.pg_class AS c ON a.attrelid = c.oid
LEFT OUTER JOIN pg_catalog.pg_attrdef AS ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
LEFT OUTER JOIN pg_catalog.pg_description AS dsc ON c.oid = dsc.objoid AND a.attnum = dsc.objsubid
LEFT OUTER JOIN pg_depend AS dep ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum
                                    AND dep.classid = dep.refclassid
WHERE NOT a.attisdropped AND c.oid = @shop.customers@ AND a.attnum > 0 ORDER BY a.attnum

-- name: dbeaver constraints
SELECT c.conname, c.contype, c.conkey, c.confkey, c.confupdtype, c.confdeltype, c.confmatchtype, c.condeferrable,
       t.relname AS tabrelname, rt.relnamespace AS refnamespace, rt.relname AS refname, d.description,
       pg_catalog.pg_get_constraintdef(c.oid) AS definition
FROM pg_catalog.pg_constraint AS c
INNER JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
LEFT OUTER JOIN pg_catalog.pg_class AS rt ON rt.oid = c.confrelid
LEFT OUTER JOIN pg_catalog.pg_description AS d
       ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_constraint'::regclass
WHERE c.conrelid IN (@shop.orders@, @shop.order_lines@) ORDER BY t.relname, c.conname

-- name: dbeaver references
SELECT DISTINCT c.conname, t.relname, pc.relname AS parent
FROM pg_catalog.pg_constraint AS c, pg_catalog.pg_class AS t, pg_catalog.pg_class AS pc
WHERE c.conrelid = t.oid AND c.confrelid = pc.oid AND c.contype = 'f' AND pc.relnamespace = @shop@ ORDER BY 1

-- name: dbeaver indexes
SELECT i.indisunique, i.indisprimary, i.indnatts, i.indkey AS keys, c.relname, tc.relname AS tabrelname, am.amname,
       dsc.description, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS pred_expr,
       pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) AS expr, pg_catalog.pg_get_indexdef(i.indexrelid) AS ddl
FROM pg_catalog.pg_index AS i
INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_catalog.pg_class AS tc ON tc.oid = i.indrelid
LEFT OUTER JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
LEFT OUTER JOIN pg_catalog.pg_description AS dsc ON i.indexrelid = dsc.objoid
WHERE tc.relnamespace = @shop@ ORDER BY tabrelname, c.relname

-- name: dbeaver sequences
SELECT sequencename, data_type, start_value, min_value, max_value, increment_by, cycle, cache_size
FROM pg_catalog.pg_sequences WHERE schemaname = 'shop'

-- name: dbeaver roles
SELECT a.rolname, a.rolsuper, a.rolinherit, a.rolcanlogin, a.rolreplication, a.rolconnlimit, pd.description
FROM pg_catalog.pg_roles AS a LEFT JOIN pg_catalog.pg_shdescription AS pd ON a.oid = pd.objoid
WHERE a.rolname = 'analyst'

-- name: dbeaver keywords
SELECT string_agg(word, ',' ORDER BY word) FROM pg_catalog.pg_get_keywords()
WHERE word <> ALL ('{a,abs,absolute,action,select,table,where}'::text[])

-- name: dbeaver functions
SELECT p.oid, p.proname, p.prokind, p.proargtypes, p.prorettype, pg_catalog.pg_get_expr(p.proargdefaults, 0) AS arg_defaults,
       d.description
FROM pg_catalog.pg_proc AS p
LEFT OUTER JOIN pg_catalog.pg_description AS d ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname LIKE 'int4%' ORDER BY p.oid

-- name: dbeaver inheritance
SELECT i.*, c.relnamespace FROM pg_catalog.pg_inherits AS i, pg_catalog.pg_class AS c
WHERE i.inhparent = @shop.orders@ AND c.oid = i.inhrelid ORDER BY i.inhseqno

-- shape: dbeaver sizes
SELECT c.oid, pg_catalog.pg_total_relation_size(c.oid) AS total_rel_size, pg_catalog.pg_relation_size(c.oid) AS rel_size
FROM pg_class AS c WHERE c.relnamespace = @shop@

-- shape: dbeaver extensions
SELECT e.oid, e.extname, e.extversion, n.nspname AS schema_name, a.default_version, e.extrelocatable
FROM pg_catalog.pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
LEFT JOIN pg_available_extensions AS a ON a.name = e.extname

-- name: dbeaver settings
SELECT setting FROM pg_catalog.pg_settings WHERE name = 'standard_conforming_strings'

-- name: dbeaver view source
SELECT pg_catalog.pg_get_viewdef(@shop.active@, true) AS definition, n.nspname, c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = @shop.active@

-- name: dbeaver triggers
SELECT x.oid, x.*, p.pronamespace AS func_schema_id, d.description, pg_catalog.pg_get_triggerdef(x.oid) AS def
FROM pg_catalog.pg_trigger AS x
LEFT OUTER JOIN pg_catalog.pg_proc AS p ON p.oid = x.tgfoid
LEFT OUTER JOIN pg_catalog.pg_description AS d ON d.objoid = x.oid AND d.objsubid = 0
WHERE x.tgrelid = @shop.customers@ AND NOT x.tgisinternal

-- name: pgadmin database
SELECT db.datname, db.datallowconn, pg_catalog.pg_encoding_to_char(db.encoding) AS serverencoding, datistemplate
FROM pg_catalog.pg_database AS db WHERE db.datname = current_database()

-- name: pgadmin user
SELECT roles.rolname AS name, roles.rolcanlogin,
       ARRAY(WITH RECURSIVE held AS (
                 SELECT pg_roles.oid, pg_roles.rolname FROM pg_catalog.pg_roles WHERE pg_roles.oid = roles.oid
                 UNION ALL
                 SELECT m.roleid, granted.rolname FROM held AS one
                 JOIN pg_catalog.pg_auth_members AS m ON m.member = one.oid
                 JOIN pg_catalog.pg_roles AS granted ON granted.oid = m.roleid)
             SELECT rolname FROM held ORDER BY 1) AS rolmembership
FROM pg_catalog.pg_roles AS roles WHERE rolname = 'analyst'

-- shape: pgadmin encryption
SELECT gss_authenticated, encrypted FROM pg_catalog.pg_stat_gssapi WHERE pid = pg_backend_pid()

-- shape: pgadmin tls
SELECT ssl, version, cipher, bits FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()

-- name: pgadmin bytea output
SELECT set_config('bytea_output', 'hex', false) FROM pg_show_all_settings() WHERE name = 'bytea_output'

-- name: pgadmin schemas
SELECT nsp.nspname AS name, pg_catalog.has_schema_privilege(nsp.oid, 'USAGE') AS has_usage, des.description
FROM pg_catalog.pg_namespace AS nsp
LEFT OUTER JOIN pg_catalog.pg_description AS des
       ON des.objoid = nsp.oid AND des.classoid = 'pg_namespace'::regclass
WHERE nsp.nspname NOT LIKE E'pg\\_%' AND nsp.nspname NOT IN ('pgproxy', 'public')
      AND NOT ((nsp.nspname = 'pg_catalog' AND EXISTS (
                    SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pg_class' AND relnamespace = nsp.oid LIMIT 1))
               OR (nsp.nspname = 'information_schema' AND EXISTS (
                    SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'tables' AND relnamespace = nsp.oid LIMIT 1)))
ORDER BY nspname

-- name: pgadmin tables
SELECT rel.oid, rel.relname AS name,
       (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = FALSE) AS triggercount,
       (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = rel.oid AND tgisinternal = FALSE AND tgenabled = 'O')
           AS has_enable_triggers,
       (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned,
       (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhrelid = rel.oid LIMIT 1) AS is_inherits,
       (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhparent = rel.oid LIMIT 1) AS is_inherited, des.description
FROM pg_catalog.pg_class AS rel
LEFT OUTER JOIN pg_catalog.pg_description AS des
       ON des.objoid = rel.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass
WHERE rel.relkind IN ('r', 's', 't', 'p') AND rel.relnamespace = @shop@ AND NOT rel.relispartition
ORDER BY rel.relname

-- name: pgadmin columns
SELECT DISTINCT att.attname AS name, att.atttypid, att.attlen, att.attnum, att.attndims, att.atttypmod, att.attnotnull,
       att.attoptions, att.attfdwoptions, att.attstattarget, att.attstorage, att.attidentity,
       pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS defval,
       pg_catalog.format_type(ty.oid, NULL) AS typname, pg_catalog.format_type(ty.oid, att.atttypmod) AS displaytypname,
       CASE WHEN ty.typelem > 0 THEN ty.typelem ELSE ty.oid END AS elemoid,
       (SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = ty.typnamespace) AS typnspname,
       ty.typstorage AS defaultstorage, description, pi.indkey,
       (SELECT count(1) FROM pg_catalog.pg_type AS t2 WHERE t2.typname = ty.typname) > 1 AS isdup,
       CASE WHEN length(coll.collname::text) > 0 AND length(nspc.nspname::text) > 0
            THEN pg_catalog.concat(pg_catalog.quote_ident(nspc.nspname), '.', pg_catalog.quote_ident(coll.collname))
            ELSE '' END AS collspcname,
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint
               WHERE conrelid = att.attrelid AND contype = 'f' AND att.attnum = ANY(conkey)) AS is_fk,
       (SELECT array_agg(provider || '=' || label) FROM pg_catalog.pg_seclabels AS sl
        WHERE sl.objoid = att.attrelid AND sl.objsubid = att.attnum) AS seclabels,
       (CASE WHEN att.attnum < 1 THEN true ELSE false END) AS is_sys_column,
       (CASE WHEN att.attidentity IN ('a', 'd') THEN 'i' WHEN att.attgenerated IN ('s') THEN 'g' ELSE 'n' END)
           AS colconstype, tab.relname AS relname,
       (CASE WHEN tab.relkind = 'v' THEN true ELSE false END) AS is_view_only, seq.*
FROM pg_catalog.pg_attribute AS att
JOIN pg_catalog.pg_type AS ty ON ty.oid = atttypid
LEFT OUTER JOIN pg_catalog.pg_attrdef AS def ON adrelid = att.attrelid AND adnum = att.attnum
LEFT OUTER JOIN pg_catalog.pg_description AS des
       ON des.objoid = att.attrelid AND des.objsubid = att.attnum AND des.classoid = 'pg_class'::regclass
LEFT OUTER JOIN (pg_catalog.pg_depend AS dep
                 JOIN pg_catalog.pg_class AS cs
                   ON dep.classid = 'pg_class'::regclass AND dep.objid = cs.oid AND cs.relkind = 'S')
       ON dep.refobjid = att.attrelid AND dep.refobjsubid = att.attnum
LEFT OUTER JOIN pg_catalog.pg_index AS pi ON pi.indrelid = att.attrelid AND indisprimary
LEFT OUTER JOIN pg_catalog.pg_collation AS coll ON att.attcollation = coll.oid
LEFT OUTER JOIN pg_catalog.pg_namespace AS nspc ON coll.collnamespace = nspc.oid
LEFT OUTER JOIN pg_catalog.pg_sequence AS seq ON cs.oid = seq.seqrelid
LEFT OUTER JOIN pg_catalog.pg_class AS tab ON tab.oid = att.attrelid
WHERE att.attrelid = @shop.customers@::oid AND att.attnum > 0 AND att.attisdropped IS FALSE
ORDER BY att.attnum

-- name: pgadmin grants
SELECT 'relacl' AS deftype, COALESCE(gt.rolname, 'PUBLIC') AS grantee, array_agg(privilege_type) AS privileges,
       array_agg(is_grantable) AS grantable
FROM (SELECT d.grantee, d.grantor, d.is_grantable,
             CASE d.privilege_type WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w'
                  WHEN 'DELETE' THEN 'd' ELSE 'unknown' END AS privilege_type
      FROM (SELECT rel.relacl FROM pg_catalog.pg_class AS rel WHERE rel.oid = @shop.customers@) AS acl,
           aclexplode(acl.relacl) AS d) AS d
LEFT JOIN pg_catalog.pg_roles AS g ON d.grantor = g.oid
LEFT JOIN pg_catalog.pg_roles AS gt ON d.grantee = gt.oid
WHERE gt.rolname = 'analyst'
GROUP BY g.rolname, gt.rolname

-- shape: pgadmin dashboard
SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data
FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity) AS "Total",
             (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active') AS "Active",
             (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'idle') AS "Idle") AS t
UNION ALL
SELECT 'tps_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data
FROM (SELECT (SELECT sum(xact_commit) + sum(xact_rollback) FROM pg_catalog.pg_stat_database
              WHERE datname = current_database()) AS "Transactions",
             (SELECT sum(xact_commit) FROM pg_catalog.pg_stat_database) AS "Commits") AS t

-- shape: pgadmin activity
SELECT pid, datname, usename, application_name, client_addr, pg_catalog.to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
           AS backend_start, state, wait_event_type || ': ' || wait_event AS wait_event,
       array_to_string(pg_catalog.pg_blocking_pids(pid), ', ') AS blocking_pids, query,
       pg_catalog.to_char(state_change, 'YYYY-MM-DD HH24:MI:SS TZ') AS state_change,
       CASE WHEN state = 'active' THEN ROUND((extract(epoch from now() - query_start) / 60)::numeric, 2) ELSE 0 END
           AS active_since
FROM pg_catalog.pg_stat_activity WHERE datname = current_database() ORDER BY pid

-- shape: pgadmin locks
SELECT pid, locktype, datname, relation::regclass, page, tuple, virtualxid, transactionid, classid::regclass, objid,
       virtualtransaction, mode, granted, fastpath
FROM pg_catalog.pg_locks AS l LEFT OUTER JOIN pg_catalog.pg_database AS d ON l.database = d.oid
WHERE datname = current_database() ORDER BY pid, locktype

-- name: pgadmin primary key
SELECT cls.relname AS name, indnkeyatts AS col_count, CASE contype WHEN 'p' THEN desp.description END AS comment,
       condeferrable, condeferred, conislocal, ct.conkey, spcname,
       substring(pg_catalog.array_to_string(cls.reloptions, ',') from 'fillfactor=([0-9]*)') AS fillfactor
FROM pg_catalog.pg_index AS idx
JOIN pg_catalog.pg_class AS cls ON cls.oid = indexrelid
LEFT OUTER JOIN pg_catalog.pg_tablespace AS ta ON ta.oid = cls.reltablespace
LEFT JOIN pg_catalog.pg_depend AS dep
       ON dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = 0 AND dep.deptype = 'i'
          AND dep.refclassid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = 'pg_constraint')
LEFT OUTER JOIN pg_catalog.pg_constraint AS ct ON ct.tableoid = dep.refclassid AND ct.oid = dep.refobjid
LEFT OUTER JOIN pg_catalog.pg_description AS desp ON desp.objoid = ct.oid AND desp.objsubid = 0
                                                     AND desp.classoid = 'pg_constraint'::regclass
WHERE indrelid = @shop.order_lines@::oid AND contype = 'p' ORDER BY cls.relname

-- name: pgadmin indexes
SELECT DISTINCT ON (cls.relname) cls.relname AS name, indisclustered, indisunique, indisprimary, n.nspname,
       indnatts, cls.reltablespace AS spcoid, CASE WHEN length(spcname::text) > 0 THEN spcname ELSE 'pg_default' END AS spc,
       conname, tab.relname AS tabname, indclass, am.amname,
       pg_catalog.pg_get_expr(idx.indpred, idx.indrelid, true) AS indconstraint
FROM pg_catalog.pg_index AS idx
JOIN pg_catalog.pg_class AS cls ON cls.oid = indexrelid
JOIN pg_catalog.pg_class AS tab ON tab.oid = indrelid
LEFT OUTER JOIN pg_catalog.pg_tablespace AS ta ON ta.oid = cls.reltablespace
JOIN pg_catalog.pg_namespace AS n ON n.oid = tab.relnamespace
JOIN pg_catalog.pg_am AS am ON am.oid = cls.relam
LEFT JOIN pg_catalog.pg_depend AS dep
       ON dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = '0' AND dep.deptype = 'i'
          AND dep.refclassid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = 'pg_constraint')
LEFT OUTER JOIN pg_catalog.pg_constraint AS con ON con.tableoid = dep.refclassid AND con.oid = dep.refobjid
WHERE indrelid = @shop.orders@::oid AND conname IS NULL ORDER BY cls.relname

-- name: pgadmin index columns
SELECT CASE i.indoption[0] WHEN 0 THEN ARRAY['ASC', 'NULLS LAST'] WHEN 1 THEN ARRAY['DESC', 'NULLS LAST']
            WHEN 2 THEN ARRAY['ASC', 'NULLS FIRST'] WHEN 3 THEN ARRAY['DESC', 'NULLS FIRST']
            ELSE ARRAY['UNKNOWN OPTION' || i.indoption[0]::text, ''] END::text[] AS options,
       i.attnum, pg_catalog.pg_get_indexdef(i.indexrelid, i.attnum, true) AS attdef,
       CASE WHEN o.opcdefault = FALSE THEN o.opcname ELSE null END AS opcname, op.oprname AS oprname
FROM (SELECT indexrelid, i.indoption, i.indclass,
             pg_catalog.unnest(ARRAY(SELECT pg_catalog.generate_series(1, i.indnatts) AS n)) AS attnum
      FROM pg_catalog.pg_index AS i WHERE i.indrelid = @shop.order_lines@) AS i
LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = i.indclass[i.attnum - 1]
LEFT OUTER JOIN pg_catalog.pg_constraint AS c ON c.conindid = i.indexrelid
LEFT OUTER JOIN pg_catalog.pg_operator AS op ON op.oid = c.conexclop[i.attnum]
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indexrelid AND a.attnum = i.attnum
ORDER BY i.attnum

-- shape: pgadmin statistics
SELECT seq_scan AS "Sequential scans", seq_tup_read AS "Sequential tuples read", idx_scan AS "Index scans",
       n_tup_ins AS "Tuples inserted", n_live_tup AS "Live Tuples", heap_blks_read AS "Heap blocks read",
       last_vacuum AS "Last vacuum", pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(stat.relid)) AS "Table size"
FROM pg_catalog.pg_stat_all_tables AS stat
JOIN pg_catalog.pg_statio_all_tables AS statio ON stat.relid = statio.relid
JOIN pg_catalog.pg_class AS cl ON cl.oid = stat.relid
WHERE stat.relid = @shop.customers@::oid

-- name: pgadmin sequences
SELECT cl.relname AS name, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle, des.description AS comment
FROM pg_catalog.pg_class AS cl
LEFT OUTER JOIN pg_catalog.pg_description AS des
       ON des.objoid = cl.oid AND des.classoid = 'pg_class'::regclass AND des.objsubid = 0
LEFT JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = cl.oid
WHERE relkind = 'S' AND relnamespace = @shop@::oid ORDER BY cl.relname

-- name: pgadmin views
SELECT c.relname AS name, c.relkind, description AS comment, pg_catalog.pg_get_viewdef(c.oid, true) AS definition,
       array_to_string(c.reloptions, ',') AS options
FROM pg_catalog.pg_class AS c
LEFT OUTER JOIN pg_catalog.pg_namespace AS nsp ON nsp.oid = c.relnamespace
LEFT OUTER JOIN pg_catalog.pg_description AS des
       ON des.objoid = c.oid AND des.objsubid = 0 AND des.classoid = 'pg_class'::regclass
WHERE ((c.relhasrules AND EXISTS (SELECT r.rulename FROM pg_catalog.pg_rewrite AS r
                                  WHERE r.ev_class = c.oid AND bpchar(r.ev_type) = '1'::bpchar)) OR c.relkind = 'v'::char)
      AND c.relnamespace = @shop@::oid ORDER BY c.relname

-- name: datagrip transaction
SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
            ELSE (pg_catalog.txid_current() % 4294967296)::varchar::bigint END IS NOT NULL AS current_txid

-- name: datagrip databases
SELECT N.oid::bigint > 0 AS id, datname AS name, D.description, datistemplate AS is_template,
       datallowconn AS allow_connections
FROM pg_catalog.pg_database AS N LEFT JOIN pg_catalog.pg_shdescription AS D ON N.oid = D.objoid
WHERE datname = pg_catalog.current_database()
ORDER BY CASE WHEN datname = pg_catalog.current_database() THEN -1::bigint ELSE N.oid::bigint END

-- name: datagrip schemas
SELECT nspname AS name, N.xmin IS NOT NULL AS state_number, D.description
FROM pg_catalog.pg_namespace AS N LEFT JOIN pg_catalog.pg_description AS D ON N.oid = D.objoid
WHERE nspname IN ('shop', 'information_schema')
ORDER BY CASE WHEN nspname = pg_catalog.current_schema() THEN -1::bigint ELSE N.oid::bigint END DESC

-- name: datagrip tables
SELECT T.relkind AS table_kind, T.relname AS table_name, T.oid AS table_id, false AS table_with_oids,
       T.reltablespace AS tablespace_id, T.reloptions AS options, T.relpersistence AS persistence,
       (SELECT pg_catalog.array_agg(inhparent::bigint ORDER BY inhseqno)::varchar
        FROM (SELECT inhparent, inhseqno FROM pg_catalog.pg_inherits WHERE inhrelid = T.oid ORDER BY 1) AS bts) AS ancestors,
       T.relispartition AS is_partition, pg_catalog.pg_get_partkeydef(T.oid) AS partition_key,
       pg_catalog.pg_get_expr(T.relpartbound, T.oid) AS partition_expression
FROM pg_catalog.pg_class AS T
WHERE relnamespace = @shop@::oid AND relkind IN ('r', 'm', 'v', 'f', 'p') ORDER BY table_kind, table_name

-- name: datagrip columns
WITH T AS (SELECT DISTINCT T.oid AS table_id, T.relname AS table_name
           FROM pg_catalog.pg_class AS T, pg_catalog.pg_attribute AS A
           WHERE T.relnamespace = @shop@::oid AND T.relkind IN ('r', 'm', 'v', 'f', 'p') AND A.attrelid = T.oid)
SELECT T.table_name, C.attnum AS column_position, C.attname AS column_name, C.atttypmod AS type_mod,
       C.attndims AS dimensions_number, pg_catalog.format_type(C.atttypid, C.atttypmod) AS type_spec,
       C.atttypid AS type_id, C.attnotnull AS mandatory,
       pg_catalog.pg_get_expr(D.adbin, T.table_id) AS column_default_expression,
       NOT C.attislocal AS column_is_inherited, C.attfdwoptions AS options, C.attisdropped AS column_is_dropped,
       C.attidentity AS identity_kind, C.attgenerated AS generated
FROM T
JOIN pg_catalog.pg_attribute AS C ON T.table_id = C.attrelid
LEFT JOIN pg_catalog.pg_attrdef AS D ON (C.attrelid, C.attnum) = (D.adrelid, D.adnum)
WHERE attnum > 0 ORDER BY table_name, attnum

-- name: datagrip indices
SELECT tab.relname AS table_name, tab.relkind AS table_kind, ind_stor.relname AS index_name,
       ind_head.indisunique AS is_unique, ind_head.indisprimary AS is_primary,
       pg_catalog.pg_get_expr(ind_head.indpred, ind_head.indrelid) AS condition, ind_stor.reltablespace AS tablespace_id,
       opcmethod AS access_method_id
FROM pg_catalog.pg_class AS tab
JOIN pg_catalog.pg_index AS ind_head ON ind_head.indrelid = tab.oid
JOIN pg_catalog.pg_class AS ind_stor
  ON tab.relnamespace = ind_stor.relnamespace AND ind_stor.oid = ind_head.indexrelid
LEFT JOIN pg_catalog.pg_opclass ON pg_opclass.oid = ANY(indclass)
WHERE tab.relnamespace = @shop@::oid AND tab.relkind IN ('r', 'm', 'v', 'p') AND ind_stor.relkind IN ('i', 'I')
ORDER BY table_name, index_name, access_method_id

-- name: datagrip index columns
SELECT ind_stor.relname AS index_name, k AS col_idx, k <= indnkeyatts AS in_key,
       ind_head.indkey[k - 1] AS column_position, ind_head.indoption[k - 1] AS column_options,
       ind_head.indcollation[k - 1] AS collation, colln.nspname AS collation_schema, collname AS collation_str,
       ind_head.indclass[k - 1] AS opclass, CASE WHEN opcdefault THEN null ELSE opcn.nspname END AS opclass_schema,
       opcname AS opclass_str,
       CASE WHEN indexprs IS NULL THEN null
            WHEN ind_head.indkey[k - 1] = 0
            THEN chr(27) || pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true)
            ELSE pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true) END AS expression,
       am.amname
FROM pg_catalog.pg_index AS ind_head
JOIN pg_catalog.pg_class AS ind_stor ON ind_stor.oid = ind_head.indexrelid
CROSS JOIN unnest(ind_head.indkey) WITH ORDINALITY AS u(u, k)
LEFT JOIN pg_catalog.pg_collation ON pg_collation.oid = ind_head.indcollation[k - 1]
LEFT JOIN pg_catalog.pg_namespace AS colln ON collnamespace = colln.oid
LEFT JOIN pg_catalog.pg_am AS am ON ind_stor.relam = am.oid
LEFT JOIN pg_catalog.pg_opclass ON pg_opclass.oid = ind_head.indclass[k - 1]
LEFT JOIN pg_catalog.pg_namespace AS opcn ON opcnamespace = opcn.oid
WHERE ind_stor.relnamespace = @shop@::oid AND ind_stor.relkind IN ('i', 'I') ORDER BY index_name, k

-- name: datagrip constraints
SELECT T.relname AS table_name, relkind AS table_kind, C.oid::bigint > 0 AS con_id, conname AS con_name,
       contype AS con_kind, conkey AS con_columns, conindid > 0 AS has_index, confkey AS ref_columns,
       condeferrable AS is_deferrable, condeferred AS is_init_deferred, confupdtype AS on_update,
       confdeltype AS on_delete, connoinherit AS no_inherit, pg_catalog.pg_get_expr(conbin, T.oid) AS con_expression,
       confmatchtype AS match_type, conexclop::int[] AS excl_operators
FROM pg_catalog.pg_constraint AS C
JOIN pg_catalog.pg_class AS T ON C.conrelid = T.oid
WHERE relkind IN ('r', 'v', 'f', 'p') AND relnamespace = @shop@::oid AND contype IN ('p', 'u', 'f', 'c', 'x')
      AND connamespace = @shop@::oid
ORDER BY CASE WHEN contype = 'p' THEN 0 WHEN contype = 'u' THEN 1 ELSE 2 END, con_name

-- name: datagrip views
SELECT T.relkind AS view_kind, T.relname AS view_name, pg_catalog.pg_get_viewdef(T.oid, true) AS source_text
FROM pg_catalog.pg_class AS T JOIN pg_catalog.pg_namespace AS N ON T.relnamespace = N.oid
WHERE N.oid = @shop@::oid AND T.relkind IN ('m', 'v')

-- name: datagrip sequences
SELECT cls.relname AS sequence_name, pg_catalog.format_type(sq.seqtypid, null) AS data_type,
       sq.seqstart AS start_value, sq.seqincrement AS inc_value, sq.seqmin AS min_value, sq.seqmax AS max_value,
       sq.seqcache AS cache_size, sq.seqcycle AS cycle_option
FROM pg_catalog.pg_sequence AS sq JOIN pg_class AS cls ON sq.seqrelid = cls.oid
WHERE cls.relnamespace = @shop@::oid
      AND pg_catalog.age(cls.xmin) <= coalesce(nullif(greatest(pg_catalog.age('1'::varchar::xid), -1), -1), 2147483647)

-- name: datagrip routines
WITH languages AS (SELECT oid AS lang_oid, lanname AS lang FROM pg_catalog.pg_language),
     routines AS (SELECT proname AS r_name, prolang AS lang_oid, oid AS r_id, proargnames AS arg_names,
                         proargmodes AS arg_modes, proargtypes::int[] AS in_arg_types,
                         proallargtypes::int[] AS all_arg_types, pg_catalog.pg_get_expr(proargdefaults, 0) AS arg_defaults,
                         provariadic AS arg_variadic_id, prorettype AS ret_type_id, proretset AS is_ret_set,
                         prokind AS kind, provolatile AS volatile_kind, proisstrict AS is_strict,
                         prosecdef AS is_security_definer, procost AS cost, prorows AS rows, proparallel AS concurrency_kind
                  FROM pg_catalog.pg_proc
                  WHERE pronamespace = 'pg_catalog'::regnamespace AND proname LIKE 'pg_get_%' AND prokind <> 'a')
SELECT * FROM routines NATURAL JOIN languages ORDER BY r_id

-- name: datagrip types
SELECT T.oid AS type_id, T.typname AS type_name, T.typtype AS type_sub_kind, T.typcategory AS type_category,
       T.typrelid AS class_id, T.typbasetype AS base_type_id,
       CASE WHEN T.typtype IN ('c', 'e') THEN null ELSE pg_catalog.format_type(T.typbasetype, T.typtypmod) END AS type_def,
       T.typndims AS dimensions_number, T.typdefault AS default_expression, T.typnotnull AS mandatory
FROM pg_catalog.pg_type AS T
WHERE T.typnamespace = 'pg_catalog'::regnamespace
      AND (T.typtype IN ('d', 'e')
           OR COALESCE((SELECT C.relkind = 'c'::"char" FROM pg_catalog.pg_class AS C WHERE C.oid = T.typrelid), false)
           OR (T.typtype = 'p' AND T.oid NOT IN (2249, 2278)) OR T.typtype = 'r')
ORDER BY 1

-- name: datagrip comments
SELECT CASE WHEN 'pg_catalog.pg_namespace'::regclass = classoid THEN 'N'
            WHEN 'pg_catalog.pg_am'::regclass = classoid THEN 'F' ELSE '?' END AS kind, D.objsubid AS sub_id, D.description
FROM pg_catalog.pg_description AS D
WHERE classoid IN ('pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_am'::regclass)
ORDER BY 1, 3

-- name: datagrip comments of relations
SELECT C.relname, D.objsubid AS sub_id, D.description
FROM pg_catalog.pg_description AS D JOIN pg_catalog.pg_class AS C ON D.objoid = C.oid
WHERE C.relnamespace = @shop@::oid AND D.classoid = 'pg_catalog.pg_class'::regclass ORDER BY 1, 2

-- name: datagrip roles
SELECT R.rolname AS role_name, rolsuper AS is_super, rolinherit AS is_inherit, rolcanlogin AS can_login,
       rolreplication AS is_replication, rolconnlimit AS conn_limit, rolvaliduntil AS valid_until, rolconfig AS config,
       D.description
FROM pg_catalog.pg_roles AS R LEFT JOIN pg_catalog.pg_shdescription AS D ON D.objoid = R.oid WHERE R.rolname = 'analyst'

-- name: datagrip operators
SELECT O.oid AS op_id, oprname AS op_name, oprkind AS op_kind, oprleft AS arg_left_type_id, oprright AS arg_right_type_id,
       oprresult AS arg_result_type_id, oprcode AS main_id, oprrest AS restrict_id, oprjoin AS join_id,
       oprcom::regoper::varchar AS com, oprnegate::regoper::varchar AS neg
FROM pg_catalog.pg_operator AS O WHERE oprleft = 'int4'::regtype ORDER BY 1

-- name: datagrip casts
SELECT C.oid, C.castsource AS source_id,
       pg_catalog.quote_ident(SN.nspname) || '.' || pg_catalog.quote_ident(S.typname) AS source_name,
       C.casttarget AS target_id, C.castfunc AS func_id, F.proname, C.castcontext, C.castmethod
FROM pg_catalog.pg_cast AS C
LEFT OUTER JOIN pg_catalog.pg_proc AS F ON C.castfunc::oid = F.oid
LEFT OUTER JOIN pg_catalog.pg_type AS S ON C.castsource::oid = S.oid
LEFT OUTER JOIN pg_catalog.pg_namespace AS SN ON S.typnamespace = SN.oid
ORDER BY 1

-- name: datagrip aggregates
SELECT P.oid AS aggregate_id, P.proname AS aggregate_name, P.proargtypes::int[] AS in_arg_types, A.aggkind,
       A.aggtransfn::oid AS transition_function_id, A.aggtransfn::regproc::text AS transition_function_name,
       A.aggtranstype AS transition_type, A.aggfinalfn::regproc::text AS final_function_name
FROM pg_catalog.pg_aggregate AS A JOIN pg_catalog.pg_proc AS P ON A.aggfnoid = P.oid
WHERE P.proname IN ('count') ORDER BY 1

-- name: datagrip access methods
SELECT A.oid AS access_method_id, A.amname AS access_method_name, A.amhandler::oid AS handler_id,
       pg_catalog.quote_ident(N.nspname) || '.' || pg_catalog.quote_ident(P.proname) AS handler_name, A.amtype
FROM pg_catalog.pg_am AS A JOIN pg_catalog.pg_proc AS P ON A.amhandler::oid = P.oid
JOIN pg_catalog.pg_namespace AS N ON P.pronamespace = N.oid ORDER BY 1

-- name: datagrip languages
SELECT L.oid AS id, L.lanname AS name, L.lanpltrusted AS trusted, H.proname AS handler, HN.nspname AS handler_schema
FROM pg_catalog.pg_language AS L
LEFT JOIN pg_catalog.pg_proc AS H ON H.oid = lanplcallfoid
LEFT JOIN pg_catalog.pg_namespace AS HN ON HN.oid = H.pronamespace ORDER BY lanname

-- name: datagrip grants
SELECT T.relname AS object_name, T.relacl IS NOT NULL AS has_acl FROM pg_catalog.pg_class AS T
WHERE relnamespace = @shop@::oid AND relkind = 'r' ORDER BY 1

-- shape: datagrip time zones
SELECT name, is_dst FROM pg_catalog.pg_timezone_names
UNION DISTINCT SELECT abbrev AS name, is_dst FROM pg_catalog.pg_timezone_abbrevs

-- name: superset databases
SELECT datname FROM pg_database WHERE datistemplate = false AND datname = current_database()

-- name: superset schemas
SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' AND nspname NOT IN ('public', 'pgproxy') ORDER BY nspname

-- name: superset chart
SELECT DATE_TRUNC('day', placed) AS placed, SUM(total) AS "SUM(total)", COUNT(DISTINCT customer_id) AS buyers
FROM (SELECT * FROM shop.orders) AS virtual_table
WHERE placed >= TO_TIMESTAMP('2023-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')
      AND placed < TO_TIMESTAMP('2025-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')
GROUP BY DATE_TRUNC('day', placed) ORDER BY placed, "SUM(total)" DESC LIMIT 10000
OFFSET 0
