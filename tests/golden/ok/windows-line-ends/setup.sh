printf '#!/bin/bash\ncd data\n' > demo/load.sh; printf 'print(1)\r\n' > demo/count.py
