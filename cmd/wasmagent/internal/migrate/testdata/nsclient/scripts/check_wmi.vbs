WScript.Echo "OK"
WScript.Quit(0)
