"""The planner and the engine in this process, without a wire: what policy costs, and nothing else."""

from benchmarks.targets.in_process import in_process_target

PLANNER = in_process_target("planner", "plan_statement in this process")
GOVERNED_SQL = in_process_target("governed", "what an analyst's statement becomes, in DuckDB")
BY_HAND = in_process_target("by_hand", "the filter written by hand, planned for an administrator, in DuckDB")
