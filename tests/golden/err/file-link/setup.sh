# A link may lead to another file of the workspace, but not out of it: whoever proposes a spec must not be able
# to have files of the machine that checks it printed. The file is not opened.
ln -s /etc/passwd demo/trips.yaml
# Nor may a link lead back to itself.
ln -s again.yaml demo/again.yaml
