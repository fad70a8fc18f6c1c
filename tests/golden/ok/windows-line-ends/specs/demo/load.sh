#!/bin/sh
printf "one\r\n"
