{{ config(materialized='incremental', unique_key='id') }}
select id, region, rate from {{ ref('rates') }}
{% if is_incremental() %} where id > (select max(id) - 1 from {{ this }}) {% endif %}
