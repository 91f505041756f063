{{ config(materialized='table') }}
select r.id, r.region, b.customers, cast(r.rate * b.customers as numeric(12, 2)) as price, r.day
from {{ ref('rates') }} r join {{ ref('customers_by_region') }} b on b.region = r.region
