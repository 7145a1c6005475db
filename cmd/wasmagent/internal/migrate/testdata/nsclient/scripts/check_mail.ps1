Write-Host "OK: mail"
exit 0
