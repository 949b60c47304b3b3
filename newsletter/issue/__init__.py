"""An Issue: one numbered text, from an editor's file to a checked model.

Pure: files in, an Issue and diagnostics out. Refuses to render, to send and to
touch the network; imports nothing of what comes later in the flow.
"""
