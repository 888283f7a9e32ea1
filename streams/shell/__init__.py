"""The Faust shell: carries messages to ledgers and stages, and their outputs away. It decides nothing.

Kept rules, each with the file that keeps it:
    every offset of a source is handed over once, in order, after each rebalance (`transport`);
    outputs first, record last, both acknowledged by the broker (`sender`, `ledger_agent`, `table`);
    done, invalid, try later; an outage is not poison (`guard`);
    a process that was stopped longer than its place in the group lasts sends nothing (`alive`).
"""
