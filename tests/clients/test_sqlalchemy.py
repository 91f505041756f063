"""SQLAlchemy 2 on psycopg 3 and psycopg2: first statements, reflection, Core and ORM; pandas on top of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.clients.servers import Pair, Server

sa = pytest.importorskip("sqlalchemy")
orm = pytest.importorskip("sqlalchemy.orm")
pandas = pytest.importorskip("pandas")

pytestmark = pytest.mark.client("SQLAlchemy")
DRIVERS = ("psycopg", "psycopg2")


@contextmanager
def engine_of(server: Server, driver: str = "psycopg") -> Iterator[Any]:
    """Give an engine whose connections are closed at the end."""
    engine = sa.create_engine(f"postgresql+{driver}://{server.location}")
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.mark.feature("metadata")
@pytest.mark.parametrize("driver", DRIVERS)
def test_reflection_gives_the_permitted_columns_keys_and_tables(pair: Pair, driver: str) -> None:
    def run(server: Server) -> list[Any]:
        with engine_of(server, driver) as engine:
            inspector = sa.inspect(engine)
            table = sa.Table("customers", sa.MetaData(), schema="sales", autoload_with=engine)
            columns = [(c.name, repr(c.type), c.nullable, c.primary_key) for c in table.columns]
            return [
                columns,
                sorted(inspector.get_table_names("sales")),
                sorted(inspector.get_table_names()),
                inspector.get_pk_constraint("orders", "sales")["constrained_columns"],
                inspector.get_foreign_keys("orders", "sales"),
                inspector.has_table("orders", "sales"),
                inspector.has_table("absent", "sales"),
                inspector.default_schema_name,
            ]

    columns = pair.same(run)[0]
    assert [column[0] for column in columns] == ["id", "name", "email", "region", "joined", "active", "seen"]


@pytest.mark.feature("rows")
@pytest.mark.parametrize("driver", DRIVERS)
def test_core_expressions_give_the_same_rows(pair: Pair, driver: str) -> None:
    def run(server: Server) -> list[Any]:
        with engine_of(server, driver) as engine, engine.connect() as connection:
            metadata = sa.MetaData()
            customers = sa.Table("customers", metadata, schema="sales", autoload_with=engine)
            orders = sa.Table("orders", metadata, schema="sales", autoload_with=engine)
            query = (
                sa.select(
                    customers.c.name, sa.func.count(orders.c.id).label("n"), sa.func.sum(orders.c.amount)
                )
                .join(orders, orders.c.customer_id == customers.c.id)
                .where(customers.c.joined > sa.bindparam("day"), customers.c.name.ilike("NAME%"))
                .group_by(customers.c.name)
                .having(sa.func.count(orders.c.id) > 1)
                .order_by(sa.desc("n"), customers.c.name)
                .limit(5)
                .offset(2)
            )
            return [tuple(row) for row in connection.execute(query, {"day": "2020-03-01"})]

    assert len(pair.same(run)) == 5


@pytest.mark.feature("rows")
def test_the_orm_loads_objects_and_their_collections(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        base = orm.declarative_base()

        class Order(base):
            __tablename__ = "orders"
            __table_args__ = {"schema": "sales"}  # noqa: RUF012
            id = sa.Column(sa.BigInteger, primary_key=True)
            customer_id = sa.Column(sa.Integer, sa.ForeignKey("sales.customers.id"))
            amount = sa.Column(sa.Numeric(12, 2))

        class Customer(base):
            __tablename__ = "customers"
            __table_args__ = {"schema": "sales"}  # noqa: RUF012
            id = sa.Column(sa.Integer, primary_key=True)
            name = sa.Column(sa.String)
            orders = orm.relationship(Order, order_by=Order.id)

        with engine_of(server) as engine, orm.Session(engine) as session:
            query = sa.select(Customer).where(Customer.id.in_([3, 6, 9])).order_by(Customer.id)
            lazily = [(c.name, [(o.id, o.amount) for o in c.orders]) for c in session.scalars(query)]
            eagerly = query.options(orm.selectinload(Customer.orders)).execution_options(
                populate_existing=True
            )
            one = session.get(Customer, 12)
            return [lazily, [len(c.orders) for c in session.scalars(eagerly)], one.name]

    assert pair.same(run)[2] == "name12"


@pytest.mark.feature("transactions")
def test_orm_changes_are_flushed_and_rolled_back(admin_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        metadata = sa.MetaData()
        notes = sa.Table(
            "notes_sa",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("note", sa.Text),
            sa.Column("made", sa.DateTime(timezone=True)),
        )
        with engine_of(server) as engine:
            metadata.create_all(engine)
            with engine.begin() as connection:
                connection.execute(notes.insert(), [{"id": i, "note": f"n{i}"} for i in range(4)])
                changed = connection.execute(notes.update().where(notes.c.id > 1).values(note="x")).rowcount
            with engine.connect() as connection:
                connection.execute(notes.delete())
                connection.rollback()
                rows = [tuple(r) for r in connection.execute(sa.select(notes).order_by(notes.c.id))]
            metadata.drop_all(engine)
            return [changed, rows]

    assert admin_pair.same(run)[0] == 2


def _library() -> tuple[Any, type[Any], type[Any], type[Any]]:
    """Mapped classes that refer to each other, with named constraints."""
    base = orm.declarative_base()
    tagged = sa.Table(
        "sa_tagged",
        base.metadata,
        sa.Column("book", sa.ForeignKey("sa_books.id"), primary_key=True),
        sa.Column("tag", sa.ForeignKey("sa_tags.id"), primary_key=True),
    )

    class Author(base):
        __tablename__ = "sa_authors"
        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.String(30), unique=True)
        books = orm.relationship("Book", back_populates="author", order_by="Book.title")

    class Tag(base):
        __tablename__ = "sa_tags"
        id = sa.Column(sa.Integer, primary_key=True)
        word = sa.Column(sa.Text)

    class Book(base):
        __tablename__ = "sa_books"
        __table_args__ = (
            sa.UniqueConstraint("title", "author_id", name="one_title"),
            sa.CheckConstraint("price >= 0", name="not_paid_for"),
        )
        id = sa.Column(sa.BigInteger, primary_key=True)
        title = sa.Column(sa.String, index=True)
        price = sa.Column(sa.Numeric(8, 2), server_default="0")
        author_id = sa.Column(sa.ForeignKey("sa_authors.id", name="by_author"), nullable=False)
        author = orm.relationship(Author, back_populates="books")
        tags = orm.relationship(Tag, secondary=tagged)

    return base.metadata, Author, Book, Tag


@pytest.mark.feature("metadata")
def test_tables_that_refer_to_each_other_are_made_filled_and_found(admin_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        metadata, author, book, tag = _library()
        with engine_of(server) as engine:
            metadata.create_all(engine)
            with orm.Session(engine) as session:
                tags = [tag(word="p"), tag(word="q")]
                session.add(author(name="Ann", books=[book(title="x", tags=tags), book(title="y")]))
                session.commit()
                found = session.scalars(sa.select(author)).one()
                read = [(b.title, b.price, len(b.tags)) for b in found.books]
                session.delete(found.books[1])
                session.commit()
                session.add(book(title="z", author_id=999))
                with pytest.raises(sa.exc.IntegrityError) as caught:
                    session.flush()
            inspector = sa.inspect(engine)
            keys = [inspector.get_foreign_keys(name) for name in ("sa_books", "sa_tagged")]
            held = [inspector.get_unique_constraints("sa_books"), inspector.get_check_constraints("sa_books")]
            names = [sorted(key["name"] for key in found) for found in (*keys, *held)]
            metadata.drop_all(engine)
            return [read, caught.value.orig.diag.constraint_name, names]

    assert admin_pair.same(run)[1] == "by_author"


@pytest.mark.feature("bulk")
def test_tables_number_their_rows_by_sequences(admin_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        metadata = sa.MetaData()
        steps = sa.Sequence("sa_steps", start=5, increment=5, metadata=metadata)
        tables = [
            sa.Table("sa_serial", metadata, sa.Column("id", sa.Integer, primary_key=True), _text()),
            sa.Table(
                "sa_big", metadata, sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), _text()
            ),
            sa.Table("sa_stepped", metadata, sa.Column("id", sa.Integer, steps, primary_key=True), _text()),
        ]
        with engine_of(server) as engine:
            metadata.create_all(engine)
            with engine.begin() as connection:
                made = [
                    tuple(connection.execute(table.insert().values(note=note)).inserted_primary_key)
                    for table in tables
                    for note in ("one", "two")
                ]
            inspector = sa.inspect(engine)
            described = [
                {key: str(column.get(key)) for key in ("name", "default", "nullable", "autoincrement")}
                for table in tables
                for column in inspector.get_columns(table.name)
            ]
            sequences = sorted(inspector.get_sequence_names())
            metadata.drop_all(engine)
            return [made, described, sequences, sa.inspect(engine).get_sequence_names()]

    assert admin_pair.same(run)[0] == [(1,), (2,), (1,), (2,), (5,), (10,)]


def _text() -> Any:
    return sa.Column("note", sa.Text)


@pytest.mark.client("pandas")
@pytest.mark.feature("rows")
def test_a_query_becomes_the_same_frame(pair: Pair) -> None:
    def run(server: Server) -> Any:
        with engine_of(server) as engine:
            sql = sa.text(
                "SELECT id, name, joined, active, seen FROM sales.customers WHERE id < :most ORDER BY id"
            )
            frame = pandas.read_sql(sql, engine, params={"most": 60}, parse_dates=["joined"])
            orders = pandas.read_sql_query("SELECT * FROM sales.orders ORDER BY id", engine, chunksize=700)
            chunks = list(orders)
            return [
                frame.to_csv(), [str(t) for t in frame.dtypes], [len(c) for c in chunks],
                pandas.concat(chunks).to_csv(), [str(t) for t in chunks[0].dtypes],
            ]  # fmt: skip

    assert pair.same(run)[2] == [700, 700, 600]


@pytest.mark.client("pandas")
@pytest.mark.feature("metadata")
def test_a_whole_table_is_read_by_name(pair: Pair) -> None:
    def run(server: Server) -> Any:
        with engine_of(server) as engine:
            frame = pandas.read_sql_table("customers", engine, schema="sales", index_col="id")
            return [frame.sort_index().to_csv(), list(frame.columns)]

    assert "email" in pair.same(run)[1]


@pytest.mark.client("pandas")
@pytest.mark.feature("bulk")
def test_a_frame_is_written_and_read_back(admin_pair: Pair) -> None:
    def run(server: Server) -> Any:
        frame = pandas.DataFrame({"id": range(200), "note": [f"n{i}" for i in range(200)], "share": 0.25})
        with engine_of(server) as engine:
            frame.to_sql("frames", engine, index=False, method="multi", if_exists="replace")
            found = pandas.read_sql("SELECT * FROM frames ORDER BY id", engine).to_csv()
            with engine.begin() as connection:
                connection.execute(sa.text("DROP TABLE frames"))
        return found

    assert admin_pair.same(run).count("\n") == 201
