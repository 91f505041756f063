select c.region, count(*) as customers, min(c.joined) as first_joined
from sales.customers c
group by c.region
