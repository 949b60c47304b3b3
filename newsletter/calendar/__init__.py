"""The publication calendar: slots, who approves, what happens when a slot comes due.

Refuses to send what nobody approved, and to send twice for one slot.
"""
