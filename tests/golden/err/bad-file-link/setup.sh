# A link in the project may not lead a step out of it.
printf '%s\n' 'project: demo' 'environment: staging' 'steps:' \
  '  - {id: load, type: script, file: outside.sh}' '  - {id: publish, type: script, file: away/id}' >demo/load.yaml
ln -s /usr/bin/env demo/outside.sh
ln -s /usr/bin demo/away
