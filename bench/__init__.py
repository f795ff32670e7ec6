"""What Billhook's speed is, as figures beside what they must be compared with in the same run.

Real processes: the emulated vendors, ``billhook serve`` and the load. All share the machine's
cores, so figures of two machines, or of two hours, say little; ratios within one run do.
"""
