#!/bin/sh
echo loaded
