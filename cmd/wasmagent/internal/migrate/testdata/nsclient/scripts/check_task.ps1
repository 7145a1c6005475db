Write-Host "OK: task ran"
exit 0
