"""Runs Django against one server and prints what it gave, by feature, as JSON.

python django_driver.py HOST PORT USER PASSWORD DATABASE [write]
"""

import io
import json
import sys
from typing import Any

import django
from django.apps import AppConfig
from django.conf import settings


class ShopConfig(AppConfig):
    name, label, path = "__main__", "shop", "."


host, port, user, password, database = sys.argv[1:6]
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql", "HOST": host, "PORT": port, "USER": user,
            "PASSWORD": password, "NAME": database, "OPTIONS": {"options": "-c search_path=sales,public"},
        }
    },
    INSTALLED_APPS=["__main__.ShopConfig"],
    USE_TZ=True, TIME_ZONE="UTC", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)  # fmt: skip
django.setup()

from django.core.management import call_command  # noqa: E402 - only after setup()
from django.db import DatabaseError, connection, models, transaction  # noqa: E402
from django.db.models import Avg, Count, F, Max, Q, Sum, Window  # noqa: E402
from django.db.models.functions import RowNumber, TruncMonth  # noqa: E402


class Customer(models.Model):
    id = models.IntegerField(primary_key=True)
    name = models.TextField()
    email = models.TextField(null=True)
    joined = models.DateField(null=True)
    active = models.BooleanField(null=True)
    seen = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "shop", False, 'sales"."customers'


class Order(models.Model):
    id = models.BigIntegerField(primary_key=True)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, related_name="orders")
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    placed = models.DateTimeField(null=True)
    ratio = models.FloatField(null=True)

    class Meta:
        app_label, managed, db_table = "shop", False, 'sales"."orders'


class Note(models.Model):
    id = models.IntegerField(primary_key=True)
    text = models.TextField()
    written = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "shop", False, "django_notes"


class Tag(models.Model):
    word = models.TextField()

    class Meta:
        app_label, managed, db_table = "shop", False, "django_tags"


def inspected() -> list[Any]:
    printed = io.StringIO()
    call_command("inspectdb", "customers", "orders", "numbers", stdout=printed)
    with connection.cursor() as cursor:
        described = connection.introspection
        tables = sorted((t.name, t.type) for t in described.get_table_list(cursor))
        constraints = described.get_constraints(cursor, "orders")
        return [
            printed.getvalue(), tables, {name: dict(facts) for name, facts in sorted(constraints.items())},
            described.get_primary_key_columns(cursor, "customers"), described.get_relations(cursor, "orders"),
            described.get_sequences(cursor, "orders"), connection.pg_version,
        ]  # fmt: skip


def rows() -> list[Any]:
    either = Q(name__icontains="ME1") | ~Q(id__in=range(280))
    busy = Customer.objects.annotate(n=Count("orders"), total=Sum("orders__amount")).filter(n__gt=5)
    ranked = Order.objects.annotate(
        place=Window(RowNumber(), partition_by=F("customer_id"), order_by=F("id").asc()),
        month=TruncMonth("placed"),
    )
    return [
        list(Customer.objects.filter(joined__year=2020, active=True).order_by("id").values_list()[:7]),
        list(busy.order_by("-total", "id").values_list("id", "name", "n", "total")[:5]),
        Order.objects.aggregate(Avg("ratio"), Max("placed"), Count("customer", distinct=True)),
        list(ranked.filter(place=1).order_by("id").values_list("id", "place", "month")[:4]),
        [(o.id, o.customer.name) for o in Order.objects.select_related("customer").order_by("id")[:4]],
        [len(c.orders.all()) for c in Customer.objects.prefetch_related("orders").order_by("id")[:5]],
        list(Customer.objects.filter(either).order_by("id").values("id")[:9]),
        Customer.objects.filter(name__startswith="name").exists(), Order.objects.none().count(),
    ]  # fmt: skip


def transactions() -> list[Any]:
    found: list[Any] = []
    with transaction.atomic():
        found.append(Order.objects.count())
        try:
            with transaction.atomic():
                connection.cursor().execute("SELECT 1 / 0")
        except DatabaseError as error:
            found.append(type(error).__name__)
        found.append(Order.objects.count())
    return found


def cursors() -> list[Any]:
    return [sum(order.id for order in Order.objects.order_by("id").iterator(chunk_size=300))]


def bulk() -> list[Any]:
    with connection.schema_editor() as editor:
        editor.create_model(Note)
        editor.create_model(Tag)
    numbered = [Tag.objects.create(word="first").pk]
    numbered += [tag.pk for tag in Tag.objects.bulk_create([Tag(word="second"), Tag(word="third")])]
    Note.objects.bulk_create([Note(id=i, text=f"n{i}") for i in range(50)])
    made = Note.objects.create(id=100, text="made")
    changed = Note.objects.filter(id__gt=40).update(text="later")
    made.refresh_from_db()
    _, is_new = Note.objects.get_or_create(id=7, defaults={"text": "seven"})
    deleted = Note.objects.filter(id__lt=5).delete()[0]
    found = [
        numbered,
        changed,
        made.text,
        is_new,
        deleted,
        list(Note.objects.order_by("id").values_list("id", "text")),
    ]
    with connection.schema_editor() as editor:
        editor.delete_model(Note)
        editor.delete_model(Tag)
    return found


FEATURES = [bulk] if sys.argv[6:] else [inspected, rows, transactions, cursors]
names = {"inspected": "metadata"}
print(
    json.dumps(
        {names.get(feature.__name__, feature.__name__): feature() for feature in FEATURES}, default=str
    )
)
