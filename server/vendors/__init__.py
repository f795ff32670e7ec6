"""What the outside offers, in our words: one folder a vendor, and the one seam to the network.

Vendors raise the outcomes of ``core.errors`` and nothing else; they never import the store, and
never each other.
"""
