"""`${{ … }}`: finding expressions in text, checking the names in them, evaluating them.

template      text with expressions -> its parts, with offsets
language      the grammar (Jinja2's), and what of it is allowed
problem       what is wrong with an expression
unreadable    what the grammar refuses: at which word, and what was meant
functions     the tables of functions and filters
times         times and lengths of time, and arithmetic with them
date_format   times as text
*_filters     the filters
refusal       what they raise
arguments     what is wrong with the arguments of one, as far as it can be read
keyed         texts that have keys, such as a secret that is JSON
names         which names exist where, and what is wrong with one that does not
render        values for expressions: those known now are folded, the rest when a step starts
placeholder   stand-ins for the values that a dry run does not have
"""
